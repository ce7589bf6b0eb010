/** The processor behaviour that a card token scripts. Any other token is a card that works. */
import type { CallKind } from './facts.js';

export type Behaviour =
  | { readonly kind: 'accepted' }
  /** Refused, at authorization or at capture. */
  | { readonly kind: 'declined'; readonly at: 'authorize' | 'capture'; readonly declineCode: string }
  /** The first `times` calls of an operation neither happen nor answer. */
  | { readonly kind: 'timeout'; readonly at: 'authorize' | 'capture'; readonly times: number }
  /** Calls happen, but the first `times` answers are lost. */
  | { readonly kind: 'lost'; readonly at: 'authorize' | 'capture'; readonly times: number }
  /** Always 500. */
  | { readonly kind: 'down'; readonly at: 'capture' | 'void' | 'refund' }
  /** 503 to the first `times` calls of every operation, before anything happens. */
  | { readonly kind: 'flaky'; readonly times: number }
  /** Every money call takes this long. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Refunds are pending for so long. */
  | { readonly kind: 'refund_pending'; readonly delayMs: number }
  /** Refunds fail so long after they were made. 0: at once. */
  | { readonly kind: 'refund_fails'; readonly delayMs: number }
  /** The cardholder disputes the payment as soon as it is captured. */
  | { readonly kind: 'disputed'; readonly inquiry: boolean }
  /** A capture is answered as whole, and so much less is settled. */
  | { readonly kind: 'settled_short'; readonly by: number }
  /** A capture is answered, and never settled: the authorization expires so long after it. */
  | { readonly kind: 'unsettled'; readonly delayMs: number }
  /** The books have another currency than was asked for. */
  | { readonly kind: 'converted'; readonly currency: string }
  /** The books lose the payment, or its refunds, so long after they were made. */
  | { readonly kind: 'forgotten'; readonly what: 'payment' | 'refund'; readonly afterMs: number };

/** The token was used before: an error of the client, which it makes again however often it asks. */
export const tokenUsed = 'token_used';

/** Whether the token stands for no card any more. */
export function isUsed(behaviour: Behaviour): boolean {
  return behaviour.kind === 'declined' && behaviour.declineCode === tokenUsed;
}

const fixed: Readonly<Record<string, Behaviour>> = {
  tok_declined: { kind: 'declined', at: 'authorize', declineCode: 'generic_decline' },
  tok_insufficient_funds: { kind: 'declined', at: 'authorize', declineCode: 'insufficient_funds' },
  tok_lost_card: { kind: 'declined', at: 'authorize', declineCode: 'lost_card' },
  tok_authentication_required: { kind: 'declined', at: 'authorize', declineCode: 'authentication_required' },
  tok_capture_declined: { kind: 'declined', at: 'capture', declineCode: 'generic_decline' },
  tok_capture_down: { kind: 'down', at: 'capture' },
  tok_refund_down: { kind: 'down', at: 'refund' },
  tok_void_down: { kind: 'down', at: 'void' },
  tok_refund_fails: { kind: 'refund_fails', delayMs: 0 },
  tok_used: { kind: 'declined', at: 'authorize', declineCode: tokenUsed },
  pm_card_chargeDeclined: { kind: 'declined', at: 'authorize', declineCode: 'generic_decline' },
  pm_card_chargeDeclinedInsufficientFunds: { kind: 'declined', at: 'authorize', declineCode: 'insufficient_funds' },
  pm_card_chargeDeclinedLostCard: { kind: 'declined', at: 'authorize', declineCode: 'lost_card' },
  pm_card_chargeDeclinedStolenCard: { kind: 'declined', at: 'authorize', declineCode: 'stolen_card' },
  pm_card_chargeDeclinedExpiredCard: { kind: 'declined', at: 'authorize', declineCode: 'expired_card' },
  pm_card_chargeCustomerFail: { kind: 'declined', at: 'authorize', declineCode: 'generic_decline' },
  pm_card_authenticationRequired: { kind: 'declined', at: 'authorize', declineCode: 'authentication_required' },
  pm_card_createDispute: { kind: 'disputed', inquiry: false },
  pm_card_createDisputeInquiry: { kind: 'disputed', inquiry: true },
};

const unanswered = /^tok_(auth|capture)_(timeout|lost)_(\d{1,9})$/;
const flaky = /^tok_flaky_(\d{1,9})$/;
const slow = /^tok_slow_(\d{1,6})$/;
/** At most eleven days, which one timer can wait. */
const laterRefund = /^tok_refund_(pending|fails_late)_(\d{1,9})$/;
const short = /^tok_settled_short_(\d{1,8})$/;
const unsettled = /^tok_unsettled_(\d{1,9})$/;
const converted = /^tok_converted_([A-Z]{3})$/;
const forgotten = /^tok_(refund_)?forgotten_(\d{1,9})$/;

export function behaviourOf(token: string): Behaviour {
  if (Object.hasOwn(fixed, token)) return fixed[token] ?? { kind: 'accepted' };
  const [, at, kind, times] = unanswered.exec(token) ?? [];
  if (times !== undefined)
    return {
      kind: kind === 'lost' ? 'lost' : 'timeout',
      at: at === 'auth' ? 'authorize' : 'capture',
      times: Number(times),
    };
  const refusals = flaky.exec(token)?.[1];
  if (refusals !== undefined) return { kind: 'flaky', times: Number(refusals) };
  const delayMs = slow.exec(token)?.[1];
  if (delayMs !== undefined) return { kind: 'slow', delayMs: Number(delayMs) };
  const [, fate, afterMs] = laterRefund.exec(token) ?? [];
  if (afterMs !== undefined)
    return { kind: fate === 'pending' ? 'refund_pending' : 'refund_fails', delayMs: Number(afterMs) };
  return behaviourOfBooks(token) ?? { kind: 'accepted' };
}

/** A script of books that differ from what the processor has answered. */
function behaviourOfBooks(token: string): Behaviour | null {
  const by = short.exec(token)?.[1];
  if (by !== undefined) return { kind: 'settled_short', by: Number(by) };
  const delayMs = unsettled.exec(token)?.[1];
  if (delayMs !== undefined) return { kind: 'unsettled', delayMs: Number(delayMs) };
  const currency = converted.exec(token)?.[1];
  if (currency !== undefined) return { kind: 'converted', currency };
  const [, refund, afterMs] = forgotten.exec(token) ?? [];
  if (afterMs === undefined) return null;
  return { kind: 'forgotten', what: refund === undefined ? 'payment' : 'refund', afterMs: Number(afterMs) };
}

/** Whether the books have lost what was made at this instant. Instants in ms since 1970. */
export function isForgotten(token: string, what: 'payment' | 'refund', at: number, nowMs: number): boolean {
  const behaviour = behaviourOf(token);
  return behaviour.kind === 'forgotten' && behaviour.what === what && nowMs >= at + behaviour.afterMs;
}

/**
 * The fault that this call meets, if any.
 * @param faultsSoFar how often the operation (its idempotency key) met one before
 */
export function faultOf(
  behaviour: Behaviour,
  kind: CallKind,
  faultsSoFar: number,
): 'timeout' | 'lost' | 'down' | 'unavailable' | null {
  switch (behaviour.kind) {
    case 'timeout':
    case 'lost':
      return behaviour.at === kind && faultsSoFar < behaviour.times ? behaviour.kind : null;
    case 'down':
      return behaviour.at === kind ? 'down' : null;
    case 'flaky':
      return faultsSoFar < behaviour.times ? 'unavailable' : null;
    default:
      return null;
  }
}
