/** Differences between our books and a processor's. */

export const discrepancyKinds = [
  'missing_here',
  'missing_there',
  'amount',
  'currency',
  'status',
  'authorization_open',
  'authorization_expired',
  'captured_twice',
  'refund_missing_here',
  'refund_missing_there',
  'refund_failed_late',
  'refund_pending_long',
  'dispute_unknown',
  'dispute_amount',
  'duplicate_reference',
  'unknown_key',
] as const;
export type DiscrepancyKind = (typeof discrepancyKinds)[number];

export const discrepancyActions = ['repaired', 'review', 'none'] as const;
export type DiscrepancyAction = (typeof discrepancyActions)[number];
