/**
 * The steps of a charge as one activity makes them inside a workflow task: each once, and none that would keep a cancel
 * waiting. What they leave is resumed by `scoreFraud`, `authorizeCard` and `captureCard`, under the same keys.
 */
import { log } from '@temporalio/activity';
import { fraudThreshold } from '../domain/payments/states.js';
import type { CardCharge, CardSteps } from '../domain/purchase/steps.js';
import { maxCancelDelayMs } from '../domain/retry.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { CardCalls } from './card-calls.js';
import type { Around } from './context.js';

/**
 * For the charge of one card, from its first step.
 * @param around surrounds each step, by the name of the activity that does this step alone
 * @param mayCapture whether the money may be taken; false where somebody wants to cancel
 */
export function cardStepsAtHand(calls: CardCalls, around: Around, mayCapture: boolean): CardSteps {
  let began = 0;
  const heldMs = () => Math.round(performance.now() - began);
  const delaysCancel = () => heldMs() > maxCancelDelayMs;

  async function once<T>(name: string, { operation, record }: CardCharge, call: () => Promise<T>): Promise<T | null> {
    try {
      return await around(name, operation, call);
    } catch (error) {
      // A bug, or a processor that refuses our own credentials, says nothing about the money.
      if (!(error instanceof GatewayFault)) log.warn('a step of a charge failed', { error });
      record.fault = error instanceof GatewayFault ? error.fault : 'server_error';
      return null;
    }
  }

  /** Whether the processor knows the authorization; in doubt it may. */
  async function mayBeKnown({ operation }: CardCharge): Promise<boolean> {
    try {
      return (await calls.findAuthorization(operation)) !== null;
    } catch {
      return true;
    }
  }

  return {
    async score(card) {
      began = performance.now();
      const score = await once('scoreFraud', card, () => calls.score(card.operation));
      // The scorer may have let a task pass that was lost, and that task may have taken the money.
      if (score === null || score > fraudThreshold) card.record.mayHoldMoney = await mayBeKnown(card);
      return score;
    },
    async authorize(card) {
      if (delaysCancel()) return null;
      const answer = await once('authorizeCard', card, () => calls.authorize(card.operation));
      return answer && { ...answer, heldTaskMs: heldMs() };
    },
    mayCapture: async () => mayCapture && !delaysCancel(),
    capture: (card, authorizationId) => once('captureCard', card, () => calls.capture(card.operation, authorizationId)),
  };
}
