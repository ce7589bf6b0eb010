/** The outcomes of a card, a charge and a purchase, and their payments and refusals. */
import { type PaymentRefusalCode, type Refusal, refusal } from '../errors.js';
import type { OrderState, OrderStepResult, PaymentRecord } from '../orders/steps.js';
import type { CaptureAnswer, CardRefusal } from '../payments/answers.js';
import type { CardSlot, PaymentAttempt, PaymentStatus } from '../payments/states.js';

/** `stopped`: not captured, since a cancel is queued or the card was given up before. */
export type CardOutcome =
  | CaptureAnswer
  | { readonly kind: 'blocked'; readonly score: number }
  | { readonly kind: 'unanswered'; readonly step: 'fraud_check' | 'authorization' | 'capture' }
  | { readonly kind: 'stopped' };

/** A step was left to the workflow; the record has the steps done before it. */
interface Undecided {
  readonly kind: 'undecided';
}
/** Nothing is open at the processor, and no money was kept. `stopped`: a cancel came before the capture. */
type NotCharged =
  | { readonly kind: 'refused'; readonly payment: PaymentRecord; readonly refusal: Refusal }
  | { readonly kind: 'stopped'; readonly payment: PaymentRecord };
/** A lost task has decided the payment; the database has the outcome. */
interface Decided {
  readonly kind: 'decided';
}

/** How a charge ended, with the payment to record. */
export type ChargeOutcome =
  | { readonly kind: 'captured'; readonly payment: PaymentRecord }
  | NotCharged
  | Decided
  | Undecided;

/**
 * How a purchase ended.
 * - `not_started`: it could not be reserved, or needs no payment any more. Nothing was charged.
 * - `confirmed`: paid and sold. `payment` is null where nothing is paid by card.
 * - `refused`: no card was charged, or a lost task gave the charged card up. The goods stay held for another payment.
 * - `stopped`, `unsettled`: cancelled before the capture, or impossible to settle after it. All is undone.
 */
export type PurchaseOutcome =
  | { readonly kind: 'not_started'; readonly reserved: OrderStepResult }
  | { readonly kind: 'confirmed'; readonly payment: PaymentRecord | null }
  | { readonly kind: 'unsettled'; readonly payment: PaymentRecord | null; readonly refusal: Refusal }
  | NotCharged
  | Decided
  | Undecided;

/** Outcomes after which the whole purchase is undone. */
export type Undone = Extract<PurchaseOutcome, { kind: 'stopped' | 'unsettled' }>;

/** The attempt as it appears on the payment. */
export function attemptOn(card: CardSlot, outcome: CardOutcome, at: Date): PaymentAttempt {
  return { card, ...shown(outcome), at: at.toISOString() };
}

function shown(outcome: CardOutcome): Pick<PaymentAttempt, 'outcome' | 'code' | 'final'> {
  switch (outcome.kind) {
    case 'captured':
      return { outcome: 'captured', code: null };
    case 'declined':
      return { outcome: 'declined', code: outcome.declineCode, ...(outcome.final && { final: true }) };
    case 'blocked':
      return { outcome: 'blocked', code: 'fraud_suspected' };
    case 'unanswered':
      return { outcome: 'failed', code: `${outcome.step}_unanswered` };
    case 'stopped':
      return { outcome: 'voided', code: null };
  }
}

/** The status of a payment that no card has paid. */
export function statusOf(last: CardOutcome, attempts: readonly PaymentAttempt[]): PaymentStatus {
  if (last.kind === 'blocked') return 'blocked';
  return attempts.every((attempt) => attempt.outcome === 'declined') ? 'declined' : 'failed';
}

/** The refusal of a payment: a single declined card gives its decline, several attempts give `all_payment_attempts_failed`. */
export function refusalOf(attempts: readonly PaymentAttempt[], last: CardOutcome): Refusal {
  if (last.kind === 'blocked')
    return paymentRefusal('fraud_suspected', `the payment was blocked: fraud score ${last.score}`, {
      score: last.score,
    });
  if (last.kind === 'declined' && attempts.length === 1) return declineRefusal(last);
  return paymentRefusal('all_payment_attempts_failed', 'no card could be charged; nothing was taken', { attempts });
}

/** The refusal of a single declined card. */
export function declineRefusal({ code, declineCode }: CardRefusal): Refusal {
  const detail =
    code === 'insufficient_funds' ? 'the card has insufficient funds' : `the card was declined: ${declineCode}`;
  return paymentRefusal(code, detail, { declineCode });
}

function paymentRefusal(code: PaymentRefusalCode, detail: string, extensions: Record<string, unknown>): Refusal {
  return refusal(code, detail, extensions);
}

/** Whether a lost task gave up the card that has paid. @param order the order after its settling was refused */
export function wasGivenUp({ id, cardUsed }: PaymentRecord, order: OrderState | null): boolean {
  const inFlight = order?.inFlight ?? null;
  return cardUsed !== null && inFlight?.paymentId === id && inFlight.abandoned.includes(cardUsed);
}

/** A captured payment as refused, once the money of its card was returned. */
export function givenUp(captured: PaymentRecord): Extract<NotCharged, { kind: 'refused' }> {
  const attempts = captured.attempts.map((attempt) =>
    attempt.outcome === 'captured' ? ({ ...attempt, outcome: 'voided' } as const) : attempt,
  );
  const stopped = { kind: 'stopped' } as const;
  const why = refusalOf(attempts, stopped);
  const failure = { code: why.code, detail: why.detail };
  const payment = { ...captured, status: statusOf(stopped, attempts), cardUsed: null, attempts, failure };
  return { kind: 'refused', payment, refusal: why };
}
