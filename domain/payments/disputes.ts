/**
 * Disputes: a cardholder has asked the bank for the money back. Amounts in minor units.
 * - `inquiry`: the bank asks, and no money has moved.
 * - `open`: the bank has taken the money until it decides.
 * - `won`: the money has come back. `lost`: it stays away.
 * - `closed`: an inquiry that became no dispute.
 */
export const disputeStatuses = ['inquiry', 'open', 'won', 'lost', 'closed'] as const;
export type DisputeStatus = (typeof disputeStatuses)[number];

export const disputeTransitions: Readonly<Record<DisputeStatus, readonly DisputeStatus[]>> = {
  inquiry: ['open', 'won', 'lost', 'closed'],
  open: ['won', 'lost', 'closed'],
  // A bank may take a decision back.
  won: ['open', 'lost'],
  lost: ['open', 'won'],
  closed: ['open', 'won', 'lost'],
};

/** Whether the dispute keeps its amount away from the merchant. */
export function withdraws(status: DisputeStatus): boolean {
  return status === 'open' || status === 'lost';
}
