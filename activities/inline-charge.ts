/**
 * The steps of a charge inside one activity of a workflow task. Each is attempted once, and only while a cancel need not wait
 * for it. `scoreFraud`, `authorizeCard` and `captureCard` resume the rest under the same keys.
 */
import { log } from '@temporalio/activity';
import { fraudThreshold } from '../domain/payments/states.js';
import type { CardCharge, CardSteps } from '../domain/purchase/steps.js';
import { maxCancelDelayMs } from '../domain/retry.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { CardCalls } from './card-calls.js';
import type { Around } from './context.js';

/**
 * The steps of one card's charge.
 * @param around surrounds each step, under the name of the activity that does this step alone
 * @param mayCapture whether the money may be taken; false where a cancel is queued
 */
export function inlineCardSteps(calls: CardCalls, around: Around, mayCapture: boolean): CardSteps {
  let began = 0;
  const heldMs = () => Math.round(performance.now() - began);
  const delaysCancel = () => heldMs() > maxCancelDelayMs;

  async function once<T>(name: string, { operation, record }: CardCharge, call: () => Promise<T>): Promise<T | null> {
    try {
      return await around(name, operation, call);
    } catch (error) {
      // A bug, or a processor that rejects our credentials, leaves open whether money moved.
      if (!(error instanceof GatewayFault)) log.warn('a step of a charge failed', { error });
      record.fault = error instanceof GatewayFault ? error.fault : 'server_error';
      return null;
    }
  }

  /** Whether the processor knows the authorization, or does not answer. */
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
      // A lost task may have had a lower score and taken the money.
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
