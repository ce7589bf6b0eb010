/** The processor's rules: what becomes of a request, by the state of the books and the script in the card's token. */
import { randomBytes } from 'node:crypto';
import type { Authorization, Books } from './books.js';
import { type Dispute, isRefundable, isUndecided, withdrawnOf } from './disputes.js';
import type { MoneyRequest, Outcome } from './facts.js';
import { refundedAt } from './refunds.js';
import { behaviourOf } from './tokens.js';

/**
 * Throws if the request names an authorization that does not exist.
 * @param authorizationId of a new authorization, unless it is declined
 */
export function decide(books: Books, request: MoneyRequest, nowMs: number, authorizationId = newId('auth')): Outcome {
  if (request.kind === 'authorize') {
    const behaviour = behaviourOf(request.token);
    if (behaviour.kind !== 'declined' || behaviour.at !== 'authorize') return { kind: 'authorized', authorizationId };
    return { kind: 'declined', authorizationId: newId('auth'), declineCode: behaviour.declineCode };
  }
  const authorization = books.authorization(request.authorizationId);
  if (!authorization) throw new Error(`authorization ${request.authorizationId} does not exist`);
  switch (request.kind) {
    case 'capture':
      return capture(authorization, request, nowMs);
    case 'void':
      return voidAuthorization(authorization);
    case 'refund':
      return refund(authorization, request.amount, nowMs);
  }
}

/** Captures once and only an authorization that is open: in full, or less and releases the rest if that is asked for. */
function capture(
  { authorizationId, token, status, amount }: Authorization,
  asked: { readonly amount: number; readonly partial?: true | undefined },
  nowMs: number,
): Outcome {
  if (status === 'captured') return { kind: 'refused', code: 'already_captured' };
  if (status === 'voided') return { kind: 'refused', code: 'already_voided' };
  if (status === 'declined') return { kind: 'refused', code: 'not_authorized' };
  const fits = asked.partial ? asked.amount < amount : asked.amount === amount;
  if (!fits) return { kind: 'refused', code: 'amount_mismatch' };
  const behaviour = behaviourOf(token);
  if (behaviour.kind === 'declined' && behaviour.at === 'capture')
    return { kind: 'declined', authorizationId, declineCode: behaviour.declineCode };
  if (behaviour.kind === 'disputed')
    return { kind: 'captured', dispute: { disputeId: newId('dp'), inquiry: behaviour.inquiry } };
  if (behaviour.kind === 'settled_short')
    return { kind: 'captured', settled: Math.max(0, asked.amount - behaviour.by) };
  if (behaviour.kind === 'unsettled') return { kind: 'captured', lapsesAt: nowMs + behaviour.delayMs };
  return { kind: 'captured' };
}

/** Never voids after the capture. A void authorization stays void. */
function voidAuthorization({ status }: Authorization): Outcome {
  if (status === 'captured') return { kind: 'refused', code: 'already_captured' };
  if (status === 'declined') return { kind: 'refused', code: 'not_authorized' };
  return { kind: 'voided' };
}

/** Refunds at most what was captured and is still there, over all refunds and disputes, and nothing during a freeze. */
function refund({ token, status, captured, refunds, disputes }: Authorization, asked: number, nowMs: number): Outcome {
  if (status !== 'captured') return { kind: 'refused', code: 'not_captured' };
  if (!isRefundable(disputes)) return { kind: 'refused', code: 'disputed' };
  const kept = captured - refundedAt(refunds, nowMs);
  if (asked > kept - withdrawnOf(disputes, kept)) return { kind: 'refused', code: 'over_refund' };
  const behaviour = behaviourOf(token);
  return {
    kind: 'refunded',
    refundId: newId('re'),
    ...(behaviour.kind === 'refund_pending' && { succeedsAt: nowMs + behaviour.delayMs }),
    ...(behaviour.kind === 'refund_fails' && { failsAt: nowMs + behaviour.delayMs }),
  };
}

/** A dispute as it is asked for, by hand. */
export interface DisputeRequest {
  readonly authorizationId: string;
  /** Default: what is left after refunds and disputes; the whole payment if nothing is. */
  readonly amount?: number | undefined;
  readonly reason: string;
  /** Default: false. */
  readonly inquiry?: boolean | undefined;
  /** Whether refunds stay possible. Default: during an inquiry only. */
  readonly refundable?: boolean | undefined;
}

type DisputeDecision =
  | (Required<{ [Field in keyof DisputeRequest]: NonNullable<DisputeRequest[Field]> }> & { readonly disputeId: string })
  | { readonly refused: 'not_captured' };

export function decideDispute(authorization: Authorization, request: DisputeRequest, nowMs: number): DisputeDecision {
  const { authorizationId, status, captured, refunds, disputes } = authorization;
  if (status !== 'captured') return { refused: 'not_captured' };
  const kept = captured - refundedAt(refunds, nowMs);
  const { reason, inquiry = false } = request;
  return {
    authorizationId,
    disputeId: newId('dp'),
    amount: request.amount ?? (kept - withdrawnOf(disputes, kept) || captured),
    reason,
    inquiry,
    refundable: request.refundable ?? inquiry,
  };
}

export const closeOutcomes = ['won', 'lost', 'closed'] as const;
export type CloseOutcome = (typeof closeOutcomes)[number];

/** A won inquiry ends as `closed`, because there was no dispute to win. Only an inquiry can end so. */
export function decideClose(
  dispute: Dispute,
  outcome: CloseOutcome,
): { readonly status: CloseOutcome } | { readonly refused: 'already_closed' | 'not_an_inquiry' } {
  const status =
    outcome === 'won' && (dispute.status === 'inquiry' || dispute.status === 'closed') ? 'closed' : outcome;
  if (status === dispute.status) return { status };
  if (!isUndecided(dispute)) return { refused: 'already_closed' };
  if (status === 'closed' && dispute.status !== 'inquiry') return { refused: 'not_an_inquiry' };
  return { status };
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('base64url')}`;
}
