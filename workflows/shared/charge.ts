/**
 * The steps of a charge as activities (the process is domain/purchase/purchase.ts): one activity makes the first attempt,
 * and each step that it leaves is an activity of its own. Orders and payments without an order share them.
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
import { ask, askAgain, type Call, unanswered } from './attempts.js';
import type { RetrySettings } from './contract.js';
import { currentCharge } from './earlier-names.js';
import { faultOf } from './failures.js';
import { attemptInTask } from './proxies.js';
import type { Saga } from './saga.js';

/** @param decide the steps in which orders and payments without an order differ */
export function chargeByActivities(
  retry: RetrySettings,
  decide: Pick<ChargeSteps, 'giveUp' | 'cancelWanted'>,
): ChargeSteps {
  const { cancelWanted } = decide;

  /** Waits before it repeats a step that the first attempt left with a fault. */
  async function step<T>(retryClass: RetryClass, { record }: CardCharge, call: Call<T>): Promise<T | null> {
    const { fault } = record;
    record.fault = null;
    const answer = fault === null ? await ask(retryClass, retry, call) : await askAgain(retryClass, retry, fault, call);
    return answer === unanswered ? null : answer;
  }
  return {
    async firstAttempt(operation) {
      try {
        return currentCharge(await attemptInTask.chargeCard(operation, !cancelWanted()));
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
      // Commands wait at the server during a workflow task. The timer ends the task, so that a cancel can still win.
      if (heldTaskMs > maxCancelDelayMs) await sleep(1, { summary: 'Receive a waiting cancel before the capture' });
      return !cancelWanted();
    },
    capture: (card, authorizationId) =>
      step('capture', card, (via, retryBudget) => via.captureCard(card.operation, authorizationId, retryBudget)),
    now: () => new Date(),
    ...decide,
  };
}

/** Registers with `saga` the return of the money that the payment's card holds. @param orderId null for a payment without an order */
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
 * The record of a first attempt that ended with this error. Its progress is unknown, and it may have taken the money. Throws
 * an error that is not an activity's.
 */
export function lostCharge(error: unknown): CardRecord {
  const fault = faultOf(error);
  if (fault === null) throw error;
  return { ...nothingCharged(), fault, mayHoldMoney: true };
}

/** Only an activity may leave a step undecided, to its workflow. A workflow never does. */
export function leftUndecided(): never {
  throw new Error('a workflow left a step of a purchase undecided');
}
