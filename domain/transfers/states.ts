/** The states of a transfer and their transitions. The database holds the same table (`transfer_transitions`). */

export const transferStatuses = [
  'pending',
  'reserved',
  'in_transit',
  'completed',
  'cancelled',
  'failed',
  'manual_review',
] as const;
export type TransferStatus = (typeof transferStatuses)[number];

export const transferModes = ['immediate', 'shipped'] as const;
export type TransferMode = (typeof transferModes)[number];

/** `manual_review`: the goods could not be given back yet. Retried while a review is open. */
export const transferTransitions: Readonly<Record<TransferStatus, readonly TransferStatus[]>> = {
  pending: ['reserved', 'failed'],
  reserved: ['in_transit', 'completed', 'cancelled', 'failed', 'manual_review'],
  in_transit: ['completed', 'cancelled', 'manual_review'],
  manual_review: ['cancelled', 'failed'],
  completed: [],
  cancelled: [],
  failed: [],
};

/** Whether nothing can change the transfer any more. */
export function isTransferEnded(status: TransferStatus): boolean {
  return transferTransitions[status].length === 0;
}

/** Whether a transfer in state `from` can reach `to` in any number of steps. */
export function canEndAs(from: TransferStatus, to: TransferStatus): boolean {
  return from === to || transferTransitions[from].some((next) => canEndAs(next, to));
}
