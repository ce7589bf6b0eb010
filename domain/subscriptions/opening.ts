/** A subscription as it begins. */
import { start } from './due.js';
import { anchorFrom } from './periods.js';
import type { OpenStep } from './steps.js';
import { type Decision, type Ids, instantOf, type Subscription, secondsOf } from './subscription.js';

/** The new subscription and what begins with it. @param now whole seconds */
export function open(
  step: OpenStep,
  now: string,
  ids: Ids,
): { readonly subscription: Subscription; readonly decision: Decision } {
  const later = step.startAt !== null && secondsOf(step.startAt) > secondsOf(now);
  const startAt = step.startAt !== null && later ? instantOf(secondsOf(step.startAt)) : now;
  const subscription: Subscription = {
    id: step.subscriptionId,
    status: 'scheduled',
    customerId: step.customerId,
    email: step.email,
    plan: step.plan,
    gateway: step.gateway,
    card: step.card,
    backupCard: step.backupCard,
    anchor: anchorFrom(startAt, step.anchorDay),
    anchorDay: step.anchorDay,
    period: null,
    periodNumber: 0,
    series: 0,
    cancelAtPeriodEnd: false,
    creditBalance: 0,
    testClock: step.testClock,
    nextAt: startAt,
    pending: null,
    // Ids are made of the version that a decision is made from: the first one is 0, and this is before it.
    version: -1,
    failure: null,
    createdAt: step.requestedAt,
  };
  if (step.refusal !== null) {
    const { code, detail } = step.refusal;
    const changes = {
      status: 'cancelled',
      nextAt: null,
      card: null,
      backupCard: null,
      failure: { code, detail },
    } as const;
    return { subscription, decision: { changes, records: [], mail: null, event: 'refused' } };
  }
  if (later) return { subscription, decision: { changes: {}, records: [], mail: null, event: 'scheduled' } };
  return { subscription, decision: start({ subscription, unsettled: [], now }, ids, true) };
}
