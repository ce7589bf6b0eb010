/**
 * A purchase as one activity (docs/adr/0008). It attempts each step of domain/purchase once, under the key that the step has
 * as an activity of its own, and returns the record of the steps done; the workflow resumes the rest.
 */
import { log } from '@temporalio/activity';
import type { OrderStepResult } from '../domain/orders/steps.js';
import { purchase } from '../domain/purchase/purchase.js';
import {
  nothingCharged,
  nothingDone,
  type PurchaseRecord,
  type PurchaseSteps,
  type PurchaseUndo,
} from '../domain/purchase/steps.js';
import type { CardCalls } from './card-calls.js';
import { type Around, isGivenUp } from './context.js';
import { inlineCardSteps } from './inline-charge.js';
import type { OrderActivities } from './orders.js';

/** The step that reserves, under the name of the activity that does this step alone. */
export type Reserving =
  | { readonly activity: 'openOrder'; readonly step: Parameters<OrderActivities['openOrder']>[0] }
  | { readonly activity: 'beginConfirm'; readonly step: Parameters<OrderActivities['beginConfirm']>[0] };

export interface Checkout {
  readonly reserving: Reserving;
  readonly customerId: string | null;
  readonly email: string | null;
  /** W3C traceparent. */
  readonly traceparent: string;
  /** Whether money may be taken; false where a cancel is queued. */
  readonly mayCapture: boolean;
}

export interface CheckoutParts {
  readonly orders: Pick<OrderActivities, 'openOrder' | 'beginConfirm' | 'settleOrder'>;
  readonly calls: CardCalls;
  /** Surrounds each step, under the name of the activity that does this step alone. */
  readonly around: Around;
}

export function checkoutActivities({ orders, calls, around }: CheckoutParts) {
  async function once(name: string, step: object, apply: () => Promise<OrderStepResult>) {
    try {
      return await around(name, step, apply);
    } catch (error) {
      log.warn('a step of a purchase was not answered', { error, step: name });
      return null;
    }
  }

  function inlineSteps({ reserving, mayCapture }: Checkout, done: PurchaseRecord): PurchaseSteps {
    const wasGivenUp = () => (done.reserved?.state?.inFlight?.abandoned.length ?? 0) > 0;
    return {
      reserve: () =>
        once(reserving.activity, reserving.step, () =>
          reserving.activity === 'openOrder' ? orders.openOrder(reserving.step) : orders.beginConfirm(reserving.step),
        ),
      ...inlineCardSteps(calls, around, mayCapture),
      // Leaves the backup card to the workflow, and a payment whose card an earlier task has given up.
      firstAttempt: async ({ card }) => (card === 'primary' && !wasGivenUp() && !isGivenUp() ? nothingCharged() : null),
      giveUp: async () => null,
      settle: (step) => once('settleOrder', step, () => orders.settleOrder(step)),
      // The workflow asks for the settling again.
      refusesGivenUpCards: () => false,
      cancelWanted: () => !mayCapture,
      now: () => new Date(),
    };
  }

  return {
    /** The purchase on the order's first card, up to the first step without an answer. */
    async checkoutOrder(checkout: Checkout): Promise<PurchaseRecord> {
      const { customerId, email, traceparent } = checkout;
      const { orderId, actor, traceId, requestId } = checkout.reserving.step;
      const asked = { orderId, actor, traceId, ...(requestId !== undefined && { requestId }) };
      const facts = { ...asked, customerId, email, traceparent };
      const done = nothingDone();
      await purchase(facts, inlineSteps(checkout, done), registeredByWorkflow, done);
      return done;
    },
  };
}

export type CheckoutActivities = ReturnType<typeof checkoutActivities>;

/** Empty: the workflow registers each undo before it starts this activity, and carries it out. */
const registeredByWorkflow: PurchaseUndo = {
  goods: () => undefined,
  money: () => ({ card: null, giveBack: async () => undefined }),
  all: async () => undefined,
};
