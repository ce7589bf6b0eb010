/** Reads orders: from Postgres or, before their saga has written anything, from its input. */
import { findProducts } from '../../db/catalogue/queries.js';
import { getOrder } from '../../db/orders/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { isRefusalCode, type Refusal, refusal } from '../../domain/errors.js';
import { isSettled, type OrderStatus } from '../../domain/orders/states.js';
import { refusalOf } from '../../domain/refusals.js';
import { type OrderInput, orderWorkflowId } from '../../workflows/order/contract.js';
import type { Commanded } from '../temporal/saga-resource.js';
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
