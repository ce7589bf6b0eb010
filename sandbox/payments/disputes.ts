/** Disputes: a cardholder has asked the bank for the money back. Amounts in minor units. */

export interface Dispute {
  readonly disputeId: string;
  readonly authorizationId: string;
  amount: number;
  readonly reason: string;
  /** `inquiry`: the bank asks, and no money has moved. `closed`: an inquiry that became no dispute. */
  status: 'inquiry' | 'open' | 'won' | 'lost' | 'closed';
  /** Whether the payment can be refunded during the dispute. */
  readonly refundable: boolean;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  closedAt: number | null;
}

export function isUndecided({ status }: Dispute): boolean {
  return status === 'inquiry' || status === 'open';
}

/** Whether no undecided dispute freezes refunds. */
export function isRefundable(disputes: readonly Dispute[]): boolean {
  return disputes.every((dispute) => dispute.refundable || !isUndecided(dispute));
}

/**
 * What the bank has taken, at most `left` (what was captured and not returned). A lost dispute takes its amount. An open
 * one takes it too, unless the payment is still refundable: the merchant may then return the money instead.
 */
export function withdrawnOf(disputes: readonly Dispute[], left: number): number {
  const asked = disputes.reduce((sum, dispute) => sum + (holdsMoney(dispute) ? dispute.amount : 0), 0);
  return Math.min(asked, left);
}

function holdsMoney({ status, refundable }: Dispute): boolean {
  return status === 'lost' || (status === 'open' && !refundable);
}

/** A dispute as a client sees it. */
export interface DisputeView {
  readonly id: string;
  readonly amount: number;
  readonly reason: string;
  readonly status: Dispute['status'];
  readonly refundable: boolean;
  readonly openedAt: string;
  readonly closedAt: string | null;
}

export function viewOfDispute(dispute: Dispute): DisputeView {
  const { disputeId, amount, reason, status, openedAt, closedAt } = dispute;
  return {
    id: disputeId,
    amount,
    reason,
    status,
    refundable: isUndecided(dispute) ? dispute.refundable : status !== 'lost',
    openedAt: new Date(openedAt).toISOString(),
    closedAt: closedAt === null ? null : new Date(closedAt).toISOString(),
  };
}
