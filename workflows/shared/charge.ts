/**
 * Taking money: fraud score, authorize, capture, on the first card and then on the backup. Used alike by a payment of its
 * own and inside an order.
 */
import { sleep } from '@temporalio/workflow';
import type { CardOperation, ChargeProgress } from '../../activities/payments.js';
import { type PaymentRefusalCode, type Refusal, refusal } from '../../domain/errors.js';
import type { PaymentRecord } from '../../domain/orders/steps.js';
import { type PaymentFacts, paymentRecord } from '../../domain/payments/record.js';
import {
  type CardSlot,
  fraudThreshold,
  type PaymentAttempt,
  type PaymentStatus,
} from '../../domain/payments/states.js';
import { type Fault, maxCancelDelayMs, type RetryClass } from '../../domain/retry.js';
import { ask, askOn, type Call, unanswered } from './attempts.js';
import type { RetrySettings } from './contract.js';
import { faultOf } from './failures.js';
import { firstTry } from './proxies.js';
import { Saga } from './saga.js';

export interface ChargeRequest extends PaymentFacts {
  readonly cardToken: string;
  readonly backupCardToken: string | null;
  readonly traceparent: string;
  readonly pace: RetrySettings;
  /** What the first card's first try has come to, where it was made before this is called. */
  readonly begun?: ChargeProgress | undefined;
  /** Cards that were given up before this task: what they hold is undone, and they are not charged. */
  readonly abandoned: readonly CardSlot[];
  /** Asked just before money would be taken; true stops the charge. */
  readonly stopWanted: () => boolean;
  /**
   * Gives a card up for good, before what it holds is undone. False where the payment is decided already: a task that was
   * lost has settled it, and nothing may be undone.
   */
  readonly abandon: (card: CardSlot, soFar: PaymentRecord) => Promise<boolean>;
}

/**
 * How a charge ended, with the payment as it is to be written down. `stopped`: it was wanted, and came before the capture.
 * `decided`: it was all over before; the database knows how.
 */
export type ChargeOutcome =
  | { readonly kind: 'captured'; readonly payment: PaymentRecord }
  | { readonly kind: 'refused'; readonly payment: PaymentRecord; readonly refusal: Refusal }
  | { readonly kind: 'stopped'; readonly payment: PaymentRecord }
  | { readonly kind: 'decided' };

type CardOutcome =
  | { readonly kind: 'captured'; readonly authorizationId: string }
  | {
      readonly kind: 'declined';
      readonly code: 'payment_declined' | 'insufficient_funds';
      readonly declineCode: string;
    }
  | { readonly kind: 'blocked'; readonly score: number }
  | { readonly kind: 'unanswered'; readonly step: 'fraud check' | 'authorization' | 'capture' }
  | { readonly kind: 'stopped' };

/**
 * Takes the money, or leaves nothing open: when it returns anything but `captured`, the processor's books show a net of 0
 * for this payment. Whoever calls may undo a captured payment by `saga`.
 */
export async function charge(saga: Saga, request: ChargeRequest): Promise<ChargeOutcome> {
  const attempts: PaymentAttempt[] = [];
  const known: { score: number | null; providerReference: string | null } = { score: null, providerReference: null };
  let last: CardOutcome = { kind: 'stopped' };
  for (const { card, token } of cardsOf(request)) {
    const attempt = new CardCharge(request, card, token);
    const undo = new Saga(request.pace);
    undo.undo(...attempt.compensation());
    last = request.abandoned.includes(card) ? attempt.takeUpAbandoned() : await attempt.run();
    known.score = attempt.score ?? known.score;
    known.providerReference = attempt.authorizationId ?? known.providerReference;
    attempts.push(attemptOf(card, last));
    if (last.kind === 'captured') {
      saga.undo(...attempt.compensation());
      return { kind: 'captured', payment: paymentRecord(request, 'captured', { attempts, ...known }, card) };
    }
    // No other card, and no answer to anybody, before nothing is open on this one.
    if (attempt.mayHoldMoney && !request.abandoned.includes(card)) {
      const soFar = paymentRecord(request, 'pending', { attempts, ...known });
      if (!(await request.abandon(card, soFar))) return { kind: 'decided' };
    }
    await undo.compensate();
    if (last.kind === 'stopped' && request.stopWanted())
      return { kind: 'stopped', payment: paymentRecord(request, 'voided', { attempts, ...known }) };
    if (last.kind === 'blocked') break;
  }
  const why = refusalOf(attempts, last);
  return {
    kind: 'refused',
    refusal: why,
    payment: paymentRecord(request, statusOf(last, attempts), { attempts, ...known }, null, why),
  };
}

/** One card's part: what was asked of the processor, and what may therefore have to be undone. */
class CardCharge {
  score: number | null = null;
  authorizationId: string | null = null;
  /** Whether the processor may hold money of this card. */
  private open = false;
  /** What kept the first step that the first try left undecided from being answered. */
  private fault: Fault | null = null;
  private readonly operation: CardOperation;

  constructor(
    private readonly request: ChargeRequest,
    private readonly card: CardSlot,
    token: string,
  ) {
    this.operation = {
      paymentId: request.paymentId,
      card,
      token,
      amount: request.amount,
      currency: request.currency,
      reference: request.orderId ?? request.paymentId,
      customerId: request.customerId,
      traceparent: request.traceparent,
    };
  }

  get mayHoldMoney(): boolean {
    return this.open;
  }

  /** A card that was given up: it may hold money still, which is to be undone. */
  takeUpAbandoned(): CardOutcome {
    this.open = true;
    return { kind: 'stopped' };
  }

  compensation(): Parameters<Saga['undo']> {
    return [
      'return the money',
      async (activities) => {
        if (this.open) await activities.undoCard(this.operation);
        this.open = false;
      },
      () => ({
        paymentId: this.request.paymentId,
        orderId: this.request.orderId,
        card: this.card,
        amount: this.request.amount,
        currency: this.request.currency,
        authorizationId: this.authorizationId,
      }),
    ];
  }

  async run(): Promise<CardOutcome> {
    const { operation } = this;
    const begun = await this.begin();
    const score = await this.step('fraud', begun.score, (via, retryBudget) => via.scoreFraud(operation, retryBudget));
    if (score === unanswered) return { kind: 'unanswered', step: 'fraud check' };
    this.score = score;
    if (score > fraudThreshold) return { kind: 'blocked', score };

    this.open = true;
    const retryClass = this.card === 'backup' ? 'backupCard' : 'authorize';
    const authorized = await this.step(retryClass, begun.authorized, (via, retryBudget) =>
      via.authorizeCard(operation, retryBudget),
    );
    if (authorized === unanswered) return { kind: 'unanswered', step: 'authorization' };
    if (authorized.kind === 'declined') {
      this.open = false;
      return authorized;
    }
    const { authorizationId } = authorized;
    this.authorizationId = authorizationId;
    // Wishes wait at the server while a task is held up. The timer ends the task, so that a cancel can still win.
    if (begun.captured === null && authorized.heldTaskMs > maxCancelDelayMs)
      await sleep(1, { summary: 'Let a cancel be heard before the capture' });
    if (begun.captured === null && this.request.stopWanted()) return { kind: 'stopped' };

    const captured = await this.step('capture', begun.captured, (via, retryBudget) =>
      via.captureCard(operation, authorizationId, retryBudget),
    );
    if (captured === unanswered) return { kind: 'unanswered', step: 'capture' };
    return captured.kind === 'captured' ? { kind: 'captured', authorizationId } : captured;
  }

  /** The first try of everything in one go. */
  private async begin(): Promise<ChargeProgress> {
    const begun = (this.card === 'primary' ? this.request.begun : undefined) ?? (await this.tryAll());
    this.fault = begun.fault;
    this.open = isLost(begun) || begun.begunBefore === true || (begun.score !== null && begun.score <= fraudThreshold);
    return begun;
  }

  private async tryAll(): Promise<ChargeProgress> {
    try {
      return await firstTry.chargeCard(this.operation, !this.request.stopWanted());
    } catch (error) {
      return lostTry(error);
    }
  }

  /** What the first try has answered, else the answer to asking on. */
  private async step<T>(retryClass: RetryClass, answered: T | null, call: Call<T>): Promise<T | typeof unanswered> {
    if (answered !== null) return answered;
    const { fault } = this;
    this.fault = null;
    const { pace } = this.request;
    return fault === null ? await ask(retryClass, pace, call) : await askOn(retryClass, pace, fault, call);
  }
}

/** A first try that was not heard of again: how far it came nobody knows, and it may have taken the money. */
type LostTry = ChargeProgress & { readonly lost: true };

/** What is known of a first try that ended with this error. Throws it where it is no activity's. */
export function lostTry(error: unknown): LostTry {
  const fault = faultOf(error);
  if (fault === null) throw error;
  return { score: null, authorized: null, captured: null, fault, lost: true };
}

function isLost(begun: ChargeProgress): begun is LostTry {
  return 'lost' in begun;
}

function cardsOf(request: ChargeRequest): { card: CardSlot; token: string }[] {
  const primary = { card: 'primary', token: request.cardToken } as const;
  return request.backupCardToken === null ? [primary] : [primary, { card: 'backup', token: request.backupCardToken }];
}

function attemptOf(card: CardSlot, outcome: CardOutcome): PaymentAttempt {
  const at = new Date().toISOString();
  switch (outcome.kind) {
    case 'captured':
      return { card, outcome: 'captured', code: null, at };
    case 'declined':
      return { card, outcome: 'declined', code: outcome.declineCode, at };
    case 'blocked':
      return { card, outcome: 'blocked', code: 'fraud_suspected', at };
    case 'unanswered':
      return { card, outcome: 'failed', code: `${outcome.step.replace(' ', '_')}_unanswered`, at };
    case 'stopped':
      return { card, outcome: 'voided', code: null, at };
  }
}

function statusOf(last: CardOutcome, attempts: readonly PaymentAttempt[]): PaymentStatus {
  if (last.kind === 'blocked') return 'blocked';
  return attempts.every((attempt) => attempt.outcome === 'declined') ? 'declined' : 'failed';
}

/** One card that was declined is a decline; everything else that used up its cards is `all_payment_attempts_failed`. */
function refusalOf(attempts: readonly PaymentAttempt[], last: CardOutcome): Refusal {
  const say = (code: PaymentRefusalCode, detail: string, extensions: Record<string, unknown>) =>
    refusal(code, detail, extensions);
  if (last.kind === 'blocked')
    return say('fraud_suspected', `the payment was blocked: fraud score ${last.score}`, { score: last.score });
  if (last.kind === 'declined' && attempts.length === 1)
    return last.code === 'insufficient_funds'
      ? say('insufficient_funds', 'the card has insufficient funds', { declineCode: last.declineCode })
      : say('payment_declined', `the card was declined: ${last.declineCode}`, { declineCode: last.declineCode });
  return say('all_payment_attempts_failed', 'no card could be charged; nothing was taken', { attempts });
}
