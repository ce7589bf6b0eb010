/** The processor's books as a client sees them. Amounts in minor units, times RFC 3339. */
import type { Authorization } from './books.js';
import { type DisputeView, isRefundable, viewOfDispute, withdrawnOf } from './disputes.js';
import type { CallKind } from './facts.js';
import { type RefundView, refundedAt, viewOfRefund } from './refunds.js';
import { isForgotten } from './tokens.js';

export interface AuthorizationView {
  readonly authorizationId: string;
  readonly token: string;
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  readonly status: Authorization['status'];
  readonly captured: number;
  /** By pending and succeeded refunds. */
  readonly refunded: number;
  /** By disputes. */
  readonly withdrawn: number;
  readonly voided: boolean;
  /** Voided by the processor itself, because it was not captured in time. */
  readonly expired: boolean;
  /** False while a dispute freezes refunds. */
  readonly refundable: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly refunds: readonly RefundView[];
  readonly disputes: readonly DisputeView[];
  /** Those with an idempotency key. What was done by hand is no call. */
  readonly calls: readonly { kind: CallKind; idempotencyKey: string; at: string }[];
}

export function viewOf(authorization: Authorization, nowMs: number): AuthorizationView {
  const { authorizationId, token, amount, currency, reference, captured, disputes, calls, lapsesAt } = authorization;
  const expired = authorization.status === 'authorized' && lapsesAt !== null && nowMs >= lapsesAt;
  const status = expired ? 'voided' : authorization.status;
  const refunds = authorization.refunds.filter(({ at }) => !isForgotten(token, 'refund', at, nowMs));
  const refunded = refundedAt(refunds, nowMs);
  return {
    authorizationId,
    token,
    amount,
    currency,
    reference,
    status,
    captured,
    refunded,
    withdrawn: withdrawnOf(disputes, captured - refunded),
    voided: status === 'voided',
    expired,
    refundable: isRefundable(disputes),
    createdAt: new Date(authorization.changes[0]?.at ?? 0).toISOString(),
    updatedAt: new Date(lastChangeAt(authorization, nowMs)).toISOString(),
    refunds: refunds.map((refund) => viewOfRefund(refund, nowMs)),
    disputes: disputes.map(viewOfDispute),
    calls: calls.map(({ operation, atMs }) => ({
      kind: operation.request.kind,
      idempotencyKey: operation.key,
      at: new Date(atMs).toISOString(),
    })),
  };
}

/** The instant of the last change, in ms since 1970, of those before or at `nowMs`. */
export function lastChangeAt({ changes }: Authorization, nowMs: number): number {
  return changes.reduce((last, { at }) => (at <= nowMs && at > last ? at : last), 0);
}
