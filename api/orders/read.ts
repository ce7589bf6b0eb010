/** An order as it stands: from Postgres, or, before its saga has written anything, from what the saga was started with. */
import { findProducts } from '../../db/catalogue/queries.js';
import { getOrder } from '../../db/orders/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { type OrderInput, orderWorkflowId } from '../../workflows/order/contract.js';
import type { ApiDeps } from '../deps.js';
import type { Order } from './schemas.js';
import { viewOrder } from './view.js';

export type FoundOrder =
  | { readonly kind: 'found'; readonly order: Order }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

/** Reads an order. `unknown`: Postgres has none and Temporal could not be asked. */
export async function readOrder(id: string, { connection: { db }, sagas }: ApiDeps): Promise<FoundOrder> {
  const stored = await getOrder(db, id);
  if (stored) return { kind: 'found', order: viewOrder(stored) };
  const presence = await sagas.presence(orderWorkflowId(id));
  if (presence === 'absent' || presence === 'unknown') return { kind: presence };
  const started = await sagas.startInput<OrderInput>(orderWorkflowId(id));
  // It may have been written down meanwhile.
  const now = await getOrder(db, id);
  if (now) return { kind: 'found', order: viewOrder(now) };
  // A saga that ended and wrote nothing down made no order.
  if (started.kind !== 'input') return { kind: started.kind };
  return presence === 'ended' ? { kind: 'absent' } : { kind: 'found', order: await pendingOrder(db, started.input) };
}

/** The order that a saga will write down when it begins. Nothing is held yet. */
export async function pendingOrder(db: Database, input: OrderInput): Promise<Order> {
  const products = await findProducts(db, [...new Set(input.lines.map((line) => line.sku))]);
  const lines = input.lines.map(({ sku, quantity, location }) => {
    const product = products.find((each) => each.sku === sku);
    const unitPrice = { amount: product?.priceAmount ?? 0, currency: product?.priceCurrency ?? 'USD' };
    return { sku, quantity, unitPrice, location, reservationId: null };
  });
  return {
    id: input.orderId,
    status: 'pending',
    customer: input.customer ?? {},
    lines,
    total: {
      amount: lines.reduce((sum, line) => sum + line.quantity * line.unitPrice.amount, 0),
      currency: lines[0]?.unitPrice.currency ?? 'USD',
    },
    payment: null,
    supplierReference: null,
    expiresAt: null,
    cancelReason: null,
    failure: null,
    workflowId: orderWorkflowId(input.orderId),
    createdAt: input.requestedAt,
    updatedAt: input.requestedAt,
  };
}
