/**
 * Subscriptions change in steps. A step reads the subscription (`read`), decides in domain/subscriptions, and writes its
 * decision whole (`subscription_apply`, db/functions/16_subscriptions.sql) unless the subscription has changed meanwhile.
 */
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../../domain/orders/steps.js';
import type { CustomerLimits } from '../../domain/payments/limits.js';
import type { CardSlot } from '../../domain/payments/states.js';
import type { Period } from '../../domain/subscriptions/states.js';
import { type StepAnswer, subscriptionStepKey } from '../../domain/subscriptions/steps.js';
import {
  type BillingRecord,
  instantOf,
  type Subscription,
  secondsOf,
} from '../../domain/subscriptions/subscription.js';
import { batchRunner, batchWaitMs } from '../postgres/batch.js';
import type { Connection } from '../postgres/client.js';
import { Coalescer } from '../postgres/coalescer.js';
import { billingRecords, payments, subscriptionSteps, subscriptions, testClocks } from '../schema/index.js';
import type { BillingRecordRow, SubscriptionRow } from './queries.js';

/** A subscription as a step finds it. */
export interface Found {
  readonly subscription: Subscription;
  readonly unsettled: readonly BillingRecord[];
  /** The time of its test clock; null: it has none. */
  readonly clock: string | null;
  /** The cards of the charge under way that were given up. */
  readonly abandoned: readonly CardSlot[];
  /** Its first charge began with its opening: its customer asked for it. */
  readonly startedByCustomer: boolean;
}

/** A payment that a step begins: its row stands before the processor is asked. */
export type PaymentBegun = Pick<PaymentRecord, 'id' | 'amount' | 'currency' | 'customerId' | 'email' | 'gateway'>;

/** A decision to write. */
export interface SubscriptionWrite {
  /** Null: the step may be repeated freely, since it acts on what is due. */
  readonly key: string | null;
  /** The version that it was decided from; null: there was none. */
  readonly from: number | null;
  readonly actor: string;
  readonly requestId?: string;
  readonly subscription: Subscription;
  readonly records: readonly BillingRecord[];
  readonly begins: PaymentBegun | null;
  /** Of the customer, on the payment that it begins; absent: none. */
  readonly limits?: CustomerLimits;
  /** How the payment was decided. */
  readonly payment: PaymentRecord | null;
  readonly mails: readonly MailRequest[];
  readonly audit: readonly { readonly action: string; readonly outcome: string; readonly detail: object }[];
  readonly result: StepAnswer;
}

export type Written =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'limited'; readonly retryAfterSeconds: number }
  | { readonly outcome: 'standing'; readonly standing: PaymentStanding };

export type SubscriptionStore = ReturnType<typeof createSubscriptionStore>;

export function createSubscriptionStore({ sql: client, db }: Pick<Connection, 'sql' | 'db'>) {
  const run = batchRunner<SubscriptionWrite, Written>(async (steps) => {
    const [row] = await client<{ results: Written[] }[]>`
      select subscription_apply(${JSON.stringify(steps)}::text::jsonb) as results`;
    return row?.results ?? [];
  });
  const coalescer = new Coalescer<SubscriptionWrite, PromiseSettledResult<Written>>(run, { maxWaitMs: batchWaitMs });

  return {
    /** The subscription and what is not settled of it; null: there is none. */
    async read(id: string): Promise<Found | null> {
      const [row] = await db
        .select({
          ...{ subscription: subscriptions, clock: testClocks.now, abandoned: payments.abandoned },
          opened: subscriptionSteps.result,
        })
        .from(subscriptions)
        .leftJoin(testClocks, eq(testClocks.id, subscriptions.testClock))
        .leftJoin(payments, sql`${payments.id} = ${subscriptions.pending}->>'paymentId'`)
        .leftJoin(subscriptionSteps, eq(subscriptionSteps.key, subscriptionStepKey(id, 'open', 'once')))
        .where(eq(subscriptions.id, id));
      if (row === undefined) return null;
      // After the row: had they changed before, a decision from both would be stale.
      const unsettled = await db
        .select()
        .from(billingRecords)
        .where(and(eq(billingRecords.subscriptionId, id), inArray(billingRecords.status, ['open', 'failed'])))
        .orderBy(asc(billingRecords.createdAt));
      return {
        subscription: subscriptionOf(row.subscription),
        unsettled: unsettled.map(recordOf),
        clock: row.clock === null ? null : whole(row.clock),
        abandoned: row.abandoned ?? [],
        startedByCustomer: row.opened?.outcome === 'done' && row.opened.begun !== undefined,
      };
    },

    /** The stored answer of a step; null: it was not done. */
    async answerOf(key: string): Promise<StepAnswer | null> {
      const [row] = await db
        .select({ result: subscriptionSteps.result })
        .from(subscriptionSteps)
        .where(eq(subscriptionSteps.key, key));
      return row?.result ?? null;
    },

    /** The time of a test clock; null: there is no such clock. */
    async clock(id: string): Promise<string | null> {
      const [row] = await db.select({ now: testClocks.now }).from(testClocks).where(eq(testClocks.id, id));
      return row === undefined ? null : whole(row.now);
    },

    /** Writes a decision, or nothing of it. Rejects if Postgres is unavailable (the outcome is unknown) or refuses it. */
    async write(step: SubscriptionWrite): Promise<Written> {
      const settled = await coalescer.submit(step);
      if (settled.status === 'rejected') throw settled.reason;
      return settled.value;
    },
  };
}

const whole = (at: string): string => instantOf(secondsOf(at));

function periodOf(start: string | null, end: string | null): Period | null {
  return start === null || end === null ? null : { start: whole(start), end: whole(end) };
}

function subscriptionOf(row: SubscriptionRow): Subscription {
  const { planAmount, planCurrency, planInterval, periodStart, periodEnd, failureCode, failureDetail } = row;
  return {
    id: row.id,
    status: row.status,
    customerId: row.customerId,
    email: row.email,
    plan: { amount: planAmount, currency: planCurrency, interval: planInterval },
    gateway: row.gateway,
    card: row.card,
    backupCard: row.backupCard,
    anchor: whole(row.anchor),
    anchorDay: row.anchorDay,
    period: periodOf(periodStart, periodEnd),
    periodNumber: row.periodNumber,
    series: row.series,
    cancelAtPeriodEnd: row.cancelAtPeriodEnd,
    creditBalance: row.creditBalance,
    testClock: row.testClock,
    nextAt: row.nextAt === null ? null : whole(row.nextAt),
    pending: row.pending,
    version: row.version,
    failure: failureCode === null ? null : { code: failureCode, detail: failureDetail ?? '' },
    createdAt: row.createdAt,
  };
}

function recordOf({ id, kind, series, periodStart, periodEnd, ...row }: BillingRecordRow): BillingRecord {
  const { amount, credit, charged, paymentId, status, attempts, lines, createdAt } = row;
  const period = { start: whole(periodStart), end: whole(periodEnd) };
  return { id, kind, series, period, amount, credit, charged, paymentId, status, attempts, lines, createdAt };
}
