/** Charging a subscription: storing its cards, one charge, and all that is due. */
import { uuid4 } from '@temporalio/workflow';
import { type Refusal, refusal } from '../../domain/errors.js';
import { declineRefusal } from '../../domain/purchase/outcomes.js';
import { charge } from '../../domain/purchase/purchase.js';
import { nothingDone } from '../../domain/purchase/steps.js';
import type { StoredCard } from '../../domain/subscriptions/states.js';
import type { SubscriptionStepResult } from '../../domain/subscriptions/steps.js';
import type { ChargeOrder } from '../../domain/subscriptions/subscription.js';
import { ask, unanswered } from '../shared/attempts.js';
import { chargeByActivities, leftUndecided, undoMoney } from '../shared/charge.js';
import type { Caller } from '../shared/contract.js';
import { database } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import type { SubscriptionInput } from './contract.js';
import { type SubscriptionCommand, type SubscriptionInbox, stops, stopsCharge } from './inbox.js';
import type { SubscriptionRecord } from './record.js';

/** The state that all parts of a subscription's saga share. */
export interface SubscriptionSaga {
  readonly input: SubscriptionInput;
  readonly inbox: SubscriptionInbox;
  readonly record: SubscriptionRecord;
}

export interface Tokens {
  readonly cardToken: string;
  readonly backupCardToken: string | null;
}

/** Cards that are kept, or why one of them was refused. */
export type Stored =
  | { readonly card: StoredCard; readonly backupCard: StoredCard | null; readonly refusal: null }
  | { readonly card: null; readonly backupCard: null; readonly refusal: Refusal };

/** Keeps the cards at the processor. @param cause what they are stored for: a repetition with it stores nothing twice */
export async function storeCards(
  saga: SubscriptionSaga,
  cause: string,
  tokens: Tokens,
  caller: Caller,
): Promise<Stored> {
  const { gateway, subscriptionId, customerId, retry } = saga.input;
  const store = async (slot: 'primary' | 'backup', token: string, customer: string | null) => {
    const { traceparent } = caller;
    const request = { gateway, subscriptionId, card: slot, cause, token, customerId, customer, traceparent };
    const answer = await ask('authorize', retry, (via, retryBudget) => via.storeCard(request, retryBudget));
    if (answer === unanswered) return refusal('all_payment_attempts_failed', 'the card could not be stored');
    return answer.kind === 'stored' ? answer : declineRefusal(answer);
  };
  const primary = await store('primary', tokens.cardToken, null);
  if ('code' in primary) return { card: null, backupCard: null, refusal: primary };
  if (tokens.backupCardToken === null) return { card: primary.card, backupCard: null, refusal: null };
  const backup = await store('backup', tokens.backupCardToken, primary.card.customer);
  if ('code' in backup) return { card: null, backupCard: null, refusal: backup };
  return { card: primary.card, backupCard: backup.card, refusal: null };
}

/** What it does by itself is asked for by nobody, and is a trace of its own. */
export function ownCaller(): Caller {
  const hex = (id: string) => id.replaceAll('-', '');
  const traceparent = `00-${hex(uuid4())}-${hex(uuid4()).slice(0, 16)}-01`;
  return { actor: 'subscription', requestId: null, traceparent };
}

/**
 * Does what is due, and settles the charge under way. Leaves the rest as soon as a command is queued that stops charges: what
 * it has stopped would be due again.
 */
export async function catchUp(saga: SubscriptionSaga): Promise<void> {
  const { inbox, record } = saga;
  const caller = ownCaller();
  do {
    if (record.charge !== null) await bill(saga, record.charge.paymentId, caller);
    else await record.apply(database.dueSubscription, record.step('due', 'now', caller));
  } while (record.hasWork && !inbox.isQueued(stops));
}

/** Carries out the charge that a step has begun, and records how it ended. @param taken the command that waits for it */
export async function bill(
  saga: SubscriptionSaga,
  paymentId: string,
  caller: Caller,
  taken: SubscriptionCommand | null = null,
): Promise<SubscriptionStepResult> {
  const { input, inbox, record } = saga;
  const { dunningWaitsSeconds } = input;
  const settle = { ...record.step('settle', paymentId, caller), paymentId, dunningWaitsSeconds };
  const known = { ...settle, charged: 'decided', payment: null, refusal: null } as const;
  const order = record.charge;
  // A lost task has settled it.
  if (order?.paymentId !== paymentId) return await record.apply(database.settleSubscription, known);

  const stopsIt = (command: SubscriptionCommand) => stopsCharge(command, order.purpose);
  const undoing = new Saga(input.retry);
  const money = undoMoney(undoing, null);
  const steps = chargeByActivities(input.retry, {
    giveUp: async (card, soFar) => (await database.abandonPayment(soFar, card)).status === 'pending',
    cancelWanted: () => (taken !== null && stopsIt(taken)) || inbox.isQueued(stopsIt),
  });
  const outcome = await charge(factsOf(input, order, caller), steps, money, nothingDone());
  if (outcome.kind === 'undecided') return leftUndecided();
  if (outcome.kind === 'decided') return await record.apply(database.settleSubscription, known);
  const { kind: charged, payment } = outcome;
  const why = outcome.kind === 'refused' ? outcome.refusal : stoppedRefusal(outcome.kind);
  const settled = await record.apply(database.settleSubscription, { ...settle, charged, payment, refusal: why });
  if (settled.outcome === 'refused' || !settled.givenUp) return settled;
  // A lost task has given the card up: its money goes back.
  await undoing.compensate();
  const refused = refusal('all_payment_attempts_failed', 'the payment was stopped; the money was returned');
  const failed = { ...payment, status: 'failed', cardUsed: null, failure: refused } as const;
  return await record.apply(database.settleSubscription, {
    ...{ ...settle, charged: 'refused', payment: failed, refusal: refused },
  });
}

function stoppedRefusal(kind: 'captured' | 'stopped'): Refusal | null {
  return kind === 'captured' ? null : refusal('invalid_state', 'the charge was stopped: another command came first');
}

function factsOf(input: SubscriptionInput, order: ChargeOrder, { traceparent }: Caller) {
  const { subscriptionId, customerId, email, gateway } = input;
  const { paymentId, amount, currency, card, backupCard, abandoned, final, customerInitiated } = order;
  return {
    ...{ paymentId, orderId: null, reference: subscriptionId, amount, currency, customerId, email, gateway },
    ...{ cardToken: card.token, backupCardToken: backupCard?.token ?? null, abandoned, traceparent },
    leftOut: final,
    stored: { primary: card.customer, backup: backupCard?.customer ?? null },
    ...(!customerInitiated && { merchantInitiated: true as const }),
  };
}
