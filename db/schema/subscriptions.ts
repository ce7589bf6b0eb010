/** Subscriptions, their billing records, and test clocks. Amounts are in minor units. */
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { Currency } from '../../domain/money.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type {
  BillingKind,
  BillingLine,
  BillingStatus,
  PlanInterval,
  StoredCard,
  SubscriptionStatus,
} from '../../domain/subscriptions/states.js';
import type { StepAnswer } from '../../domain/subscriptions/steps.js';
import type { PendingCharge } from '../../domain/subscriptions/subscription.js';
import { at, count } from './columns.js';

/** Clocks that a test sets: subscriptions on one see its time instead of the present. */
export const testClocks = pgTable('test_clocks', {
  id: text().primaryKey(),
  now: at('now').notNull(),
  /** Where it is being advanced to; null: it stands. */
  target: at('target'),
  createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
});

export const subscriptions = pgTable(
  'subscriptions',
  {
    id: text().primaryKey(),
    status: text().$type<SubscriptionStatus>().notNull(),
    customerId: text('customer_id').notNull(),
    email: text(),
    planAmount: count('plan_amount').notNull(),
    planCurrency: text('plan_currency').$type<Currency>().notNull(),
    planInterval: text('plan_interval').$type<PlanInterval>().notNull(),
    /** The processor of its payments, and where its cards are stored. */
    gateway: text().$type<GatewayName>().notNull(),
    /** Null once it is cancelled: its cards are forgotten. */
    card: jsonb().$type<StoredCard>(),
    backupCard: jsonb('backup_card').$type<StoredCard>(),
    /** The first boundary between two whole periods. */
    anchor: at('anchor').notNull(),
    /** Day of the month of its boundaries, where the client named one. */
    anchorDay: smallint('anchor_day'),
    periodStart: at('period_start'),
    periodEnd: at('period_end'),
    /** Whole intervals between the anchor and `period_end`. */
    periodNumber: integer('period_number').notNull().default(0),
    /** Counts its anchors: a change of interval and a resumption begin another series of periods. */
    series: smallint().notNull().default(0),
    cancelAtPeriodEnd: boolean('cancel_at_period_end').notNull().default(false),
    creditBalance: count('credit_balance').notNull().default(0),
    testClock: text('test_clock').references(() => testClocks.id),
    /** When its workflow next has something to do; null: nothing until a command. */
    nextAt: at('next_at'),
    /** The charge under way, and the change that waits for it; null: none. */
    pending: jsonb().$type<PendingCharge>(),
    /** Counts its changes. A step names the version that it was computed from. */
    version: integer().notNull().default(0),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('subscriptions_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('subscriptions_by_customer').on(t.customerId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('subscriptions_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('subscriptions_due_on_clock')
      .on(t.testClock, t.nextAt)
      .where(sql`${t.testClock} is not null and ${t.nextAt} is not null`),
    index('subscriptions_charging_on_clock')
      .on(t.testClock)
      .where(sql`${t.testClock} is not null and ${t.pending} is not null`),
    index('subscriptions_due').on(t.nextAt).where(sql`${t.testClock} is null and ${t.nextAt} is not null`),
    check(
      'subscriptions_status',
      sql`${t.status} in ('scheduled', 'active', 'past_due', 'unpaid', 'paused', 'cancelled')`,
    ),
    check('subscriptions_interval', sql`${t.planInterval} in ('day', 'week', 'month', 'year')`),
    check('subscriptions_amounts', sql`${t.planAmount} >= 0 and ${t.creditBalance} >= 0`),
    check('subscriptions_period', sql`${t.periodStart} < ${t.periodEnd}`),
  ],
);

/** What a subscription was billed. `amount` = `credit` + `charged`; the credit is below 0 where it is given. */
export const billingRecords = pgTable(
  'billing_records',
  {
    id: text().primaryKey(),
    subscriptionId: text('subscription_id')
      .notNull()
      .references(() => subscriptions.id),
    kind: text().$type<BillingKind>().notNull(),
    /** Of the subscription's periods. */
    series: smallint().notNull().default(0),
    periodStart: at('period_start').notNull(),
    periodEnd: at('period_end').notNull(),
    amount: count('amount').notNull(),
    credit: count('credit').notNull(),
    charged: count('charged').notNull(),
    /** The payment that paid it, else the last attempt; null where no card is asked. */
    paymentId: text('payment_id'),
    status: text().$type<BillingStatus>().notNull(),
    attempts: smallint().notNull().default(0),
    lines: jsonb().$type<readonly BillingLine[]>().notNull(),
    createdAt: at('created_at').notNull(),
  },
  (t) => [
    index('billing_records_newest').on(t.subscriptionId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('billing_records_unsettled').on(t.subscriptionId).where(sql`${t.status} in ('open', 'failed')`),
    // A period is billed once.
    uniqueIndex('billing_records_once')
      .on(t.subscriptionId, t.series, t.periodStart)
      .where(sql`${t.kind} = 'period' and ${t.status} <> 'void'`),
    check('billing_records_sum', sql`${t.amount} = ${t.credit} + ${t.charged} and ${t.charged} >= 0`),
    check('billing_records_period', sql`${t.periodStart} < ${t.periodEnd}`),
    check('billing_records_status', sql`${t.status} in ('open', 'paid', 'failed', 'void')`),
    check('billing_records_kind', sql`${t.kind} in ('period', 'proration')`),
  ],
);

/** The result of each step of a subscription by its key, so that a repeated step returns it. Kept for 90 days. */
export const subscriptionSteps = pgTable(
  'subscription_steps',
  {
    key: text().primaryKey(),
    subscriptionId: text('subscription_id').notNull(),
    result: jsonb().$type<StepAnswer>().notNull(),
    at: at('at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [index('subscription_steps_oldest').on(t.at)],
);

/**
 * The allowed transitions of subscriptions; a trigger on `subscriptions` rejects all others. Seeded from
 * domain/subscriptions/states.ts.
 */
export const subscriptionTransitions = pgTable(
  'subscription_transitions',
  {
    from: text('from_status').$type<SubscriptionStatus>().notNull(),
    to: text('to_status').$type<SubscriptionStatus>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);
