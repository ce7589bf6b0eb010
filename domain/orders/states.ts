/** The states of an order and their transitions. The database holds the same table (`order_transitions`). */

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
  // A refund may fail after it succeeded: the money is ours again.
  partially_refunded: ['confirmed', 'refunded'],
  refunded: ['confirmed', 'partially_refunded'],
  cancelled: [],
  expired: [],
  failed: [],
};

/** The meaning of each state, in one line for operators. */
export const orderStatusMeanings: Readonly<Record<OrderStatus, string>> = {
  pending: 'is being opened',
  draft: 'has no lines yet; waits for a line or a cancellation until it expires',
  awaiting_restock: 'lacks stock; available stock is held, and suppliers were asked for the rest',
  reserved: 'all lines are held; waits for a confirmation or a cancellation until it expires',
  confirming: 'is being paid; its holds do not expire meanwhile',
  confirmed: 'is paid, and its goods have left the stock',
  cancelled: 'was cancelled; its goods are free and no money was kept',
  expired: 'has expired; its goods are free and no money was kept',
  failed: 'could not be filled or paid; its goods are free and no money was kept',
  partially_refunded: 'a part of its money was returned',
  refunded: 'all of its money was returned',
};

/** The states of an order that was paid: refunds lead from one to the other. */
const paidStatuses: readonly OrderStatus[] = ['confirmed', 'partially_refunded', 'refunded'];

/** Whether only a refund can still change the order. */
export function isSettled(status: OrderStatus): boolean {
  return orderTransitions[status].every((next) => paidStatuses.includes(next));
}

export function mayBecome(from: OrderStatus, to: OrderStatus): boolean {
  return orderTransitions[from].includes(to);
}
