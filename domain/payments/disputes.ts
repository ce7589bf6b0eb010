/**
 * Disputes: a cardholder has asked the bank for the money back. Amounts in minor units.
 * - `inquiry`: the bank asks, and no money has moved.
 * - `open`: the bank has taken the money until it decides.
 * - `won`: the money has come back. `lost`: it stays away.
 * - `closed`: an inquiry that became no dispute.
 */
export const disputeStatuses = ['inquiry', 'open', 'won', 'lost', 'closed'] as const;
export type DisputeStatus = (typeof disputeStatuses)[number];
