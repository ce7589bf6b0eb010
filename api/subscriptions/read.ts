/** Reads subscriptions: from Postgres or, before their saga has written anything, from its input. */
import { type BillingRecordRow, getSubscription, type SubscriptionRow } from '../../db/subscriptions/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { presentFailure } from '../../domain/refusals.js';
import type { SubscriptionStatus } from '../../domain/subscriptions/states.js';
import { type SubscriptionInput, subscriptionWorkflowId } from '../../workflows/subscription/contract.js';
import { wholeSecond } from '../http/instants.js';
import type { Commanded } from '../temporal/saga-resource.js';
import type { BillingRecord, Subscription } from './schemas.js';

export const subscriptions: Commanded<Subscription, SubscriptionInput, Reached> = {
  noun: 'subscription',
  idMember: 'subscriptionId',
  path: '/api/subscriptions',
  workflowId: subscriptionWorkflowId,
  stored: async (db, id) => {
    const stored = await getSubscription(db, id);
    if (!stored) return null;
    const view = viewSubscription(stored);
    // One that is cancelled with a failure never started: its first charge was refused.
    const failure = view.status === 'cancelled' ? view.failure : null;
    return { view, refusal: failure && isRefusalCode(failure.code) ? refusal(failure.code, failure.detail) : null };
  },
  pending: (_db, input) => pendingSubscription(input),
  // A resumed run writes it.
  alwaysWritten: true,
  isOver: ({ status }) => status === 'cancelled',
  cannotBecome: ({ status: from }, to) =>
    refusal('invalid_state', `a subscription that is ${from} cannot become ${to}`, { from, to }),
};

/** What a command makes of a subscription. */
export type Reached = Extract<SubscriptionStatus, 'active' | 'paused' | 'cancelled'>;

export function viewSubscription(row: SubscriptionRow): Subscription {
  const { periodStart: start, periodEnd: end } = row;
  const runs = row.status === 'active' || row.status === 'past_due' || row.status === 'unpaid';
  return {
    id: row.id,
    status: row.status,
    customerId: row.customerId,
    plan: { amount: row.planAmount, currency: row.planCurrency, interval: row.planInterval },
    currentPeriod: runs && start !== null && end !== null ? { start, end } : null,
    anchor: row.anchor,
    cancelAtPeriodEnd: row.cancelAtPeriodEnd,
    creditBalance: row.creditBalance,
    testClock: row.testClock,
    failure: presentFailure(row),
    createdAt: row.createdAt,
  };
}

/** An open record is not decided, and not listed. */
export function viewRecord(row: BillingRecordRow): BillingRecord {
  return {
    id: row.id,
    kind: row.kind,
    period: { start: row.periodStart, end: row.periodEnd },
    amount: row.amount,
    credit: row.credit,
    charged: row.charged,
    paymentId: row.paymentId,
    status: row.status === 'open' ? 'failed' : row.status,
    attempts: row.attempts,
    lines: row.lines.map(({ description, from, to, amount }) => ({
      ...{ description, from: wholeSecond(from), to: wholeSecond(to) },
      amount,
    })),
    createdAt: row.createdAt,
  };
}

/** Nothing is charged yet. */
function pendingSubscription(input: SubscriptionInput): Subscription {
  return {
    id: input.subscriptionId,
    status: 'scheduled',
    customerId: input.customerId,
    plan: input.plan,
    currentPeriod: null,
    anchor: input.startAt ?? input.requestedAt,
    cancelAtPeriodEnd: false,
    creditBalance: 0,
    testClock: input.testClock,
    failure: null,
    createdAt: input.requestedAt,
  };
}
