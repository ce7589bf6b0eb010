/** Disputes: a cardholder has asked the bank for the money back. Amounts in minor units. */
export const disputeStatuses = ['inquiry', 'open', 'won', 'lost', 'closed'] as const;
export type DisputeStatus = (typeof disputeStatuses)[number];

/** The meaning of each status, in one line for operators. */
export const disputeStatusMeanings: Readonly<Record<DisputeStatus, string>> = {
  inquiry: 'the bank asks, and no money has moved',
  open: 'the bank decides who gets the money',
  won: 'the money is ours again',
  lost: 'the money stays with the cardholder',
  closed: 'the inquiry became no dispute',
};
