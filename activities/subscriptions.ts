/** Subscriptions: opening, what is due, charges that are decided, and clients' commands. */
import type { PaymentRecord } from '../domain/orders/steps.js';
import { mailsAfter } from '../domain/payments/record.js';
import { cancel, change, pause, replaceCard, resume } from '../domain/subscriptions/commands.js';
import { due } from '../domain/subscriptions/due.js';
import { open } from '../domain/subscriptions/opening.js';
import { type Charged, settle } from '../domain/subscriptions/settle.js';
import type {
  CancelStep,
  ChangeStep,
  ChargingStep,
  OpenStep,
  ReplaceCardStep,
  SettleStep,
  SubscriptionStepBase,
  SubscriptionStepResult,
} from '../domain/subscriptions/steps.js';
import type { Snapshot } from '../domain/subscriptions/subscription.js';
import { type Ruling, type SubscriptionDependencies, stepIds, subscriptionSteps } from './subscription-steps.js';

/** A step repeated with its key returns its first answer, with the present state. domain/subscriptions/steps.ts describes each. */
export function subscriptionActivities(dependencies: SubscriptionDependencies) {
  const steps = subscriptionSteps(dependencies);
  return {
    async openSubscription(step: OpenStep): Promise<SubscriptionStepResult> {
      const known = await steps.apply(step, step.key, () => ({ kind: 'nothing' }));
      if (known.state !== null) return known;
      const create = (as: OpenStep) =>
        steps.create(as, (now) => ({ kind: 'done', refusal: as.refusal, ...open(as, now, stepIds) }));
      let created = await create(step);
      // Beyond its customer's limits: kept as cancelled.
      if (created?.outcome === 'refused' && created.state === null)
        created = await create({ ...step, refusal: created.refusal });
      return created ?? (await steps.apply(step, step.key, () => ({ kind: 'nothing' })));
    },

    /** Does the next thing that is due, if anything is. */
    async dueSubscription(step: SubscriptionStepBase): Promise<SubscriptionStepResult> {
      return await steps.apply(step, null, (at) => {
        const decision = due(at, stepIds);
        return decision === null ? { kind: 'nothing' } : { kind: 'done', decision };
      });
    },

    async settleSubscription(step: SettleStep): Promise<SubscriptionStepResult> {
      return await steps.apply(step, step.key, (at) => settled(at, step));
    },

    async changeSubscription(step: ChangeStep): Promise<SubscriptionStepResult> {
      return await steps.apply(step, step.key, (at) => change(at, stepIds, step.plan));
    },

    async cancelSubscription(step: CancelStep): Promise<SubscriptionStepResult> {
      return await steps.apply(step, step.key, (at) => cancel(at, step.atPeriodEnd));
    },

    async pauseSubscription(step: SubscriptionStepBase): Promise<SubscriptionStepResult> {
      return await steps.apply(step, step.key, pause);
    },

    async resumeSubscription(step: ChargingStep): Promise<SubscriptionStepResult> {
      return await steps.apply(step, step.key, (at) => resume(at, stepIds));
    },

    async replaceSubscriptionCard(step: ReplaceCardStep): Promise<SubscriptionStepResult> {
      return await steps.apply(step, step.key, (at) => replaceCard(at, stepIds, step.card, step.backupCard));
    },
  };
}

export type SubscriptionActivities = ReturnType<typeof subscriptionActivities>;

function settled(at: Snapshot, step: SettleStep): Ruling {
  const { pending } = at.subscription;
  const { payment } = step;
  if (pending?.paymentId !== step.paymentId || payment === null) return { kind: 'nothing' };
  const decision = settle(at, chargedAs(step, payment), step.dunningWaitsSeconds);
  if (decision === null) return { kind: 'nothing' };
  // A renewal is asked for by nobody: its refusal is no answer. Its mails are the subscription's own.
  const isRenewal = pending.purpose === 'period';
  return {
    ...{ kind: 'done', decision, payment },
    refusal: isRenewal ? null : step.refusal,
    mails: isRenewal && payment.status !== 'captured' ? [] : mailsAfter(payment),
  };
}

function chargedAs({ charged, refusal }: SettleStep, payment: PaymentRecord): Charged {
  const { attempts } = payment;
  if (charged !== 'refused' || refusal === null)
    return charged === 'captured' ? { kind: charged, attempts } : { kind: 'stopped' };
  const { code, detail } = refusal;
  return { kind: 'refused', failure: { code, detail }, attempts };
}
