/** The states of an order and every way from one to another. The database holds the same table (`order_transitions`). */

export const orderStatuses = [
  'draft',
  'pending',
  'reserved',
  'awaiting_restock',
  'confirming',
  'confirmed',
  'cancelled',
  'expired',
  'failed',
  'partially_refunded',
  'refunded',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export const orderTransitions: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['draft', 'reserved', 'awaiting_restock', 'failed'],
  draft: ['reserved', 'cancelled', 'expired'],
  awaiting_restock: ['reserved', 'cancelled', 'failed'],
  reserved: ['confirming', 'cancelled', 'expired', 'failed'],
  confirming: ['confirmed', 'reserved', 'cancelled', 'expired', 'failed'],
  confirmed: ['partially_refunded', 'refunded'],
  partially_refunded: ['refunded'],
  cancelled: [],
  expired: [],
  failed: [],
  refunded: [],
};

/** Whether nothing but a refund can change the order any more. */
export function isSettled(status: OrderStatus): boolean {
  return !orderTransitions[status].some((next) => next !== 'partially_refunded' && next !== 'refunded');
}

export function mayBecome(from: OrderStatus, to: OrderStatus): boolean {
  return orderTransitions[from].includes(to);
}

/** Payments of one order that may be refused before the order fails. */
export const maxPaymentRefusals = 3;
