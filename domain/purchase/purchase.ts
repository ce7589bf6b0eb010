/**
 * The process of a purchase: reserve, score, authorize, capture, settle. One activity runs it with inline steps and stops at
 * the first that it must leave. The workflow then runs it with activities as the steps, from the first step that the record
 * lacks (docs/adr/0008).
 */
import { orderStepKey, type PaymentInFlight, type PaymentRecord } from '../orders/steps.js';
import { mailsAfter, type PaymentFacts, paymentRecord } from '../payments/record.js';
import { type CardSlot, fraudThreshold, type PaymentAttempt } from '../payments/states.js';
import {
  attemptOn,
  type CardOutcome,
  type ChargeOutcome,
  givenUp,
  type PurchaseOutcome,
  refusalOf,
  statusOf,
  wasGivenUp,
} from './outcomes.js';
import {
  type CardCharge,
  type CardOperation,
  type CardRecord,
  type CardSteps,
  type ChargeSteps,
  type HeldMoney,
  nothingCharged,
  type PurchaseRecord,
  type PurchaseSteps,
  type PurchaseUndo,
} from './steps.js';

/** The facts of a purchase that are fixed before its first step. `traceparent` is W3C. */
export interface PurchaseFacts {
  readonly orderId: string;
  readonly customerId: string | null;
  readonly email: string | null;
  readonly actor: string;
  readonly traceId: string;
  readonly requestId?: string;
  readonly traceparent: string;
}

/** A payment by card, on the primary card and then on the backup. */
export interface ChargeFacts extends PaymentFacts {
  readonly cardToken: string;
  readonly backupCardToken: string | null;
  readonly traceparent: string;
  /** Cards that were given up before: their money is returned, and they are not charged. */
  readonly abandoned: readonly CardSlot[];
  /** Cards that are not asked at all; absent: none. */
  readonly leftOut?: readonly CardSlot[];
  /** The customers at the processor that the cards are stored with; absent: they are not stored. */
  readonly stored?: Readonly<Record<CardSlot, string | null>>;
  /** Nobody is there to answer the card's bank: a renewal. */
  readonly merchantInitiated?: true;
}

const undecided = { kind: 'undecided' } as const;

/**
 * Buys an order's goods. Either goods and money both change hands, or neither does. A step that is left makes the outcome
 * `undecided`; the same call with the same record resumes it.
 * @param done the steps already done; each further step is recorded in it
 */
export async function purchase(
  order: PurchaseFacts,
  steps: PurchaseSteps,
  undo: PurchaseUndo,
  done: PurchaseRecord,
): Promise<PurchaseOutcome> {
  undo.goods();
  // Registered before reserving, because one activity may both reserve and charge.
  const money = undo.money();

  done.reserved ??= await steps.reserve();
  if (done.reserved === null) return undecided;
  if (done.reserved.outcome === 'refused' || done.reserved.state.status !== 'confirming')
    return { kind: 'not_started', reserved: done.reserved };

  const { inFlight, totalAmount, currency } = done.reserved.state;
  let payment: PaymentRecord | null = null;
  if (inFlight !== null) {
    const charged = await charge(chargeOf(order, inFlight, totalAmount, currency), steps, money, done);
    if (charged.kind === 'stopped') await undo.all(charged);
    if (charged.kind !== 'captured') return charged;
    payment = charged.payment;
  }

  done.settled ??= await steps.settle({
    key: orderStepKey(order.orderId, 'settle', payment?.id ?? 'unpaid'),
    orderId: order.orderId,
    actor: order.actor,
    traceId: order.traceId,
    ...(order.requestId !== undefined && { requestId: order.requestId }),
    payment,
    mails: payment === null ? [] : mailsAfter(payment),
  });
  if (done.settled === null) return undecided;
  if (done.settled.outcome === 'done' || done.settled.state?.status === 'confirmed')
    return { kind: 'confirmed', payment };
  if (
    payment !== null &&
    wasGivenUp(payment, done.settled.state) &&
    !steps.cancelWanted() &&
    steps.refusesGivenUpCards()
  ) {
    // A lost task gave the card up for a cancel that arrives again: the order must be open for it.
    await money.giveBack();
    return givenUp(payment);
  }
  const unsettled = { kind: 'unsettled', payment, refusal: done.settled.refusal } as const;
  await undo.all(unsettled);
  return unsettled;
}

/**
 * Takes the money, or leaves nothing open: on any outcome but `captured` and `undecided`, the processor's books show a net
 * of 0 for this payment.
 * @param money its undo must already be registered
 * @param done the steps already done on the primary card
 */
export async function charge(
  facts: ChargeFacts,
  steps: ChargeSteps,
  money: HeldMoney,
  done: Pick<PurchaseRecord, 'charge'>,
): Promise<ChargeOutcome> {
  const attempts: PaymentAttempt[] = [];
  const known: { score: number | null; providerReference: string | null } = { score: null, providerReference: null };
  let last: CardOutcome = { kind: 'stopped' };
  for (const operation of cardsOf(facts)) {
    const { card } = operation;
    const abandoned = facts.abandoned.includes(card);
    const recorded = card === 'primary' ? done.charge : null;
    const record = abandoned ? abandonedCard() : (recorded ?? (await steps.firstAttempt(operation)));
    if (record === null) return undecided;
    if (card === 'primary' && !abandoned) done.charge = record;
    money.card = { operation, record };
    last = abandoned ? { kind: 'stopped' } : await chargeCard(money.card, steps);
    known.score = record.score ?? known.score;
    if (record.authorized?.kind === 'authorized') known.providerReference = record.authorized.authorizationId;
    attempts.push(attemptOn(card, last, steps.now()));
    if (last.kind === 'captured')
      return { kind: 'captured', payment: paymentRecord(facts, 'captured', { attempts, ...known }, card) };

    // Close this card before charging another one or answering.
    if (record.mayHoldMoney && !abandoned) {
      const givenUp = await steps.giveUp(card, paymentRecord(facts, 'pending', { attempts, ...known }));
      if (givenUp === null) return undecided;
      if (!givenUp) return { kind: 'decided' };
    }
    await money.giveBack();
    // Also where a person has resolved the review as done.
    record.mayHoldMoney = false;
    if (last.kind === 'stopped' && steps.cancelWanted())
      return { kind: 'stopped', payment: paymentRecord(facts, 'voided', { attempts, ...known }) };
    if (last.kind === 'blocked') break;
  }
  const refusal = refusalOf(attempts, last);
  const status = statusOf(last, attempts);
  return { kind: 'refused', refusal, payment: paymentRecord(facts, status, { attempts, ...known }, null, refusal) };
}

/** Charges one card, from the first step that its record lacks. */
export async function chargeCard(card: CardCharge, steps: CardSteps): Promise<CardOutcome> {
  const { record } = card;
  record.score ??= await steps.score(card);
  if (record.score === null) return { kind: 'unanswered', step: 'fraud_check' };
  if (record.score > fraudThreshold) return { kind: 'blocked', score: record.score };

  record.mayHoldMoney = true;
  record.authorized ??= await steps.authorize(card);
  if (record.authorized === null) return { kind: 'unanswered', step: 'authorization' };
  if (record.authorized.kind === 'declined') {
    record.mayHoldMoney = false;
    return record.authorized;
  }

  if (record.captured === null) {
    if (!(await steps.mayCapture(record.authorized))) return { kind: 'stopped' };
    record.captured = await steps.capture(card, record.authorized.authorizationId);
  }
  return record.captured ?? { kind: 'unanswered', step: 'capture' };
}

/** The record of a card that was given up: a lost task may have left money on it. */
const abandonedCard = (): CardRecord => ({ ...nothingCharged(), mayHoldMoney: true });

function chargeOf(
  { orderId, customerId, email, traceparent }: PurchaseFacts,
  { paymentId, choice, gateway, abandoned }: PaymentInFlight,
  amount: number,
  currency: string,
): ChargeFacts {
  const { cardToken, backupCardToken = null } = choice;
  const payment = { paymentId, orderId, amount, currency, customerId, email, reference: orderId };
  return { ...payment, ...(gateway !== undefined && { gateway }), cardToken, backupCardToken, traceparent, abandoned };
}

function cardsOf(facts: ChargeFacts): CardOperation[] {
  const { paymentId, orderId, gateway, amount, currency, customerId, traceparent, cardToken, backupCardToken } = facts;
  const made = { paymentId, ...(gateway !== undefined && { gateway }) };
  const common = { ...made, amount, currency, reference: orderId ?? paymentId, customerId, traceparent };
  const onCard = (card: CardSlot, token: string): CardOperation => ({
    ...{ ...common, card, token },
    ...(facts.stored !== undefined && { stored: { customer: facts.stored[card] } }),
    ...(facts.merchantInitiated && { merchantInitiated: true }),
  });
  const primary = onCard('primary', cardToken);
  const all = backupCardToken === null ? [primary] : [primary, onCard('backup', backupCardToken)];
  return all.filter(({ card }) => !facts.leftOut?.includes(card));
}
