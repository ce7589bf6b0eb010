/** Reads orders: from Postgres or, before their saga has written anything, from its input. */
import { findProducts } from '../../db/catalogue/queries.js';
import { getOrder } from '../../db/orders/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { isRefusalCode, type Refusal, refusal } from '../../domain/errors.js';
import { totalsOf } from '../../domain/orders/money.js';
import { isSettled, type OrderStatus } from '../../domain/orders/states.js';
import { refusalOf } from '../../domain/refusals.js';
import { type OrderInput, orderWorkflowId } from '../../workflows/order/contract.js';
import type { Commanded } from '../temporal/saga-resource.js';
import { pricedLine } from './check-lines.js';
import { viewLineMoney, viewTotals } from './money-view.js';
import type { Order } from './schemas.js';
import { viewOrder } from './view.js';

export const orders: Commanded<Order, OrderInput, OrderStatus> = {
  noun: 'order',
  idMember: 'orderId',
  path: '/api/orders',
  workflowId: orderWorkflowId,
  stored: async (db, id) => {
    const stored = await getOrder(db, id);
    if (!stored) return null;
    const view = viewOrder(stored);
    return { view, refusal: openingRefusal(view) };
  },
  pending: pendingOrder,
  alwaysWritten: false,
  isOver: ({ status }) => isSettled(status),
  cannotBecome: ({ status: from }, to) => refusalOf('invalid_order_state', { from, to }),
};

/** The refusal of an order that could not be opened. */
function openingRefusal({ failure, supplierReference }: Order): Refusal | null {
  if (failure === null) return null;
  if (isRefusalCode(failure.code)) return refusal(failure.code, failure.detail);
  // A supplier refused before the caller was answered that the order waits for it.
  return supplierReference === null ? refusal('insufficient_stock', failure.detail) : null;
}

/** The order as its saga will first write it. Nothing is held yet. */
async function pendingOrder(db: Database, input: OrderInput): Promise<Order> {
  const products = await findProducts(db, [...new Set(input.lines.map((line) => line.sku))]);
  const { charges, taxesIncluded } = input.money ?? { charges: [], taxesIncluded: false };
  const priced = input.lines.map((line) => {
    const product = products.find((each) => each.sku === line.sku);
    return { ...line, ...pricedLine(line, product ?? { priceAmount: 0, priceCurrency: 'USD' }) };
  });
  const lines = priced.map((line) => {
    const { sku, name = null, quantity, location } = line;
    const money = viewLineMoney(line, line.currency, taxesIncluded);
    return { sku, name, quantity, ...money, location, reservationId: null };
  });
  const { details } = input;
  return {
    id: input.orderId,
    status: 'pending',
    customer: input.customer ?? {},
    lines,
    charges,
    taxesIncluded,
    ...viewTotals(totalsOf({ lines: priced, charges, taxesIncluded }), priced[0]?.currency ?? 'USD'),
    shippingAddress: details?.shippingAddress ?? null,
    billingAddress: details?.billingAddress ?? null,
    externalReference: details?.externalReference ?? null,
    channel: details?.channel ?? null,
    metadata: details?.metadata ?? {},
    tags: details?.tags ?? [],
    note: details?.note ?? null,
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
