/** A refund over time. It changes at instants that its fact records, so that a restart changes nothing. */

export interface Refund {
  readonly refundId: string;
  readonly authorizationId: string;
  /** Minor units. */
  readonly amount: number;
  /** Of the call that made it; null if it was made by hand. */
  readonly idempotencyKey: string | null;
  /** Milliseconds since 1970, as all instants here. */
  readonly at: number;
  /** Pending until then. */
  readonly succeedsAt: number;
  /** Failed from then on, even if it had succeeded; null if it never fails. */
  readonly failsAt: number | null;
}

export type RefundStatus = 'pending' | 'succeeded' | 'failed';

/** Why a refund of this processor fails: the only reason that it knows. */
export const refundFailure = 'expired_or_canceled_card';

export function refundStatus({ succeedsAt, failsAt }: Refund, nowMs: number): RefundStatus {
  if (failsAt !== null && nowMs >= failsAt) return 'failed';
  return nowMs < succeedsAt ? 'pending' : 'succeeded';
}

/** What has been returned or is on its way: pending and succeeded refunds count, failed ones do not. */
export function refundedAt(refunds: readonly Refund[], nowMs: number): number {
  return refunds.reduce((sum, refund) => sum + (refundStatus(refund, nowMs) === 'failed' ? 0 : refund.amount), 0);
}

/** A refund as a client sees it. */
export interface RefundView {
  readonly refundId: string;
  readonly amount: number;
  readonly status: RefundStatus;
  /** Why it failed; null unless it did. */
  readonly failure: string | null;
  readonly idempotencyKey: string | null;
  readonly at: string;
}

export function viewOfRefund(refund: Refund, nowMs: number): RefundView {
  const { refundId, amount, idempotencyKey, at } = refund;
  const status = refundStatus(refund, nowMs);
  const failure = status === 'failed' ? refundFailure : null;
  return { refundId, amount, status, failure, idempotencyKey, at: new Date(at).toISOString() };
}
