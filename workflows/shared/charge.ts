/**
 * The steps of a charge as a workflow makes them (the process is domain/purchase/purchase.ts): a first attempt in one
 * activity, and each step that it leaves as an activity of its own. Used alike by a payment of its own and by an order.
 */
import { sleep } from '@temporalio/workflow';
import {
  type CardCharge,
  type CardRecord,
  type ChargeSteps,
  type HeldMoney,
  nothingCharged,
} from '../../domain/purchase/steps.js';
import { maxCancelDelayMs, type RetryClass } from '../../domain/retry.js';
import { ask, askOn, type Call, unanswered } from './attempts.js';
import type { RetrySettings } from './contract.js';
import { currentCharge } from './earlier-names.js';
import { faultOf } from './failures.js';
import { firstTry } from './proxies.js';
import type { Saga } from './saga.js';

/** @param decide what an order and a payment of its own do differently */
export function chargeByActivities(
  retry: RetrySettings,
  decide: Pick<ChargeSteps, 'giveUp' | 'cancelWanted'>,
): ChargeSteps {
  const { cancelWanted } = decide;

  /** A step that the first attempt has left undecided with a fault waits before it is asked again. */
  async function step<T>(retryClass: RetryClass, { record }: CardCharge, call: Call<T>): Promise<T | null> {
    const { fault } = record;
    record.fault = null;
    const answer = fault === null ? await ask(retryClass, retry, call) : await askOn(retryClass, retry, fault, call);
    return answer === unanswered ? null : answer;
  }
  return {
    async firstAttempt(operation) {
      try {
        return currentCharge(await firstTry.chargeCard(operation, !cancelWanted()));
      } catch (error) {
        return lostCharge(error);
      }
    },
    score: (card) => step('fraud', card, (via, retryBudget) => via.scoreFraud(card.operation, retryBudget)),
    authorize: (card) =>
      step(card.operation.card === 'backup' ? 'backupCard' : 'authorize', card, (via, retryBudget) =>
        via.authorizeCard(card.operation, retryBudget),
      ),
    async mayCapture({ heldTaskMs }) {
      // Commands wait at the server while a task is held up. The timer ends the task, so that a cancel can still win.
      if (heldTaskMs > maxCancelDelayMs) await sleep(1, { summary: 'Let a cancel be heard before the capture' });
      return !cancelWanted();
    },
    capture: (card, authorizationId) =>
      step('capture', card, (via, retryBudget) => via.captureCard(card.operation, authorizationId, retryBudget)),
    now: () => new Date(),
    ...decide,
  };
}

/** Registers with `saga` that what a card of the payment holds goes back. @param orderId null for a payment of its own */
export function undoMoney(saga: Saga, orderId: string | null): HeldMoney {
  const money: HeldMoney = {
    card: null,
    giveBack: saga.undo(
      'return the money',
      async (activities) => {
        const { card } = money;
        if (card?.record.mayHoldMoney) await activities.undoCard(card.operation);
      },
      () => (money.card === null ? {} : factsOf(money.card, orderId)),
    ),
  };
  return money;
}

function factsOf({ operation, record: { authorized } }: CardCharge, orderId: string | null) {
  const { paymentId, card, amount, currency } = operation;
  const authorizationId = authorized?.kind === 'authorized' ? authorized.authorizationId : null;
  return { paymentId, orderId, card, amount, currency, authorizationId };
}

/**
 * What is known of a first attempt that ended with this error: nobody knows how far it came, and it may have taken the
 * money. Throws the error where it is not an activity's.
 */
export function lostCharge(error: unknown): CardRecord {
  const fault = faultOf(error);
  if (fault === null) throw error;
  return { ...nothingCharged(), fault, mayHoldMoney: true };
}

/** A workflow leaves no step to anybody else. */
export function leftUndecided(): never {
  throw new Error('a workflow left a step of a purchase undecided');
}
