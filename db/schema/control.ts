/** What guards and checks payments: fraud rules, limits per customer, the audit log, reconciliations. Amounts in minor units. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
} from 'drizzle-orm/pg-core';
import type { Currency } from '../../domain/money.js';
import type { FraudRuleKind } from '../../domain/payments/fraud-rules.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type {
  DiscrepancyAction,
  DiscrepancyKind,
  ReconciliationProgress,
  ReconciliationStatus,
} from '../../domain/payments/reconciliation.js';
import type { CardSlot, PaymentAttempt } from '../../domain/payments/states.js';
import { at, count } from './columns.js';

/** Random secrets of this installation, made once. */
export const secrets = pgTable('secrets', {
  name: text().primaryKey(),
  /** Hex. */
  value: text().notNull(),
});

export const fraudRules = pgTable('fraud_rules', {
  name: text().primaryKey(),
  /** Their order, as the client gave it. */
  position: smallint().notNull(),
  kind: text().$type<FraudRuleKind>().notNull(),
  threshold: doublePrecision().notNull(),
  weight: doublePrecision().notNull(),
  enabled: boolean().notNull(),
});

/** Each attempt at a payment on a card, from its score on: what the rules count. */
export const paymentAttempts = pgTable(
  'payment_attempts',
  {
    paymentId: text('payment_id').notNull(),
    card: text().$type<CardSlot>().notNull(),
    /** HMAC of the card's fingerprint; null: the processor told none. */
    cardHash: text('card_hash'),
    customerId: text('customer_id'),
    amount: count('amount').notNull(),
    currency: text().$type<Currency>().notNull(),
    score: doublePrecision(),
    /** The names of the rules that fired. */
    rules: text().array().notNull().default(sql`'{}'`),
    /** Null while it is in flight. */
    outcome: text().$type<PaymentAttempt['outcome']>(),
    at: at('at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    primaryKey({ columns: [t.paymentId, t.card] }),
    index('payment_attempts_oldest').on(t.at),
    index('payment_attempts_of_card').on(t.cardHash, t.at).where(sql`${t.cardHash} is not null`),
    index('payment_attempts_of_customer').on(t.customerId, t.at).where(sql`${t.customerId} is not null`),
  ],
);

/** Payments that count towards a customer's limits. */
export const customerSpend = pgTable(
  'customer_spend',
  {
    paymentId: text('payment_id').primaryKey(),
    customerId: text('customer_id').notNull(),
    amount: count('amount').notNull(),
    currency: text().$type<Currency>().notNull(),
    /** It ended without money: its amount counts no more. */
    released: boolean().notNull().default(false),
    at: at('at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [index('customer_spend_of_customer').on(t.customerId, t.at), index('customer_spend_oldest').on(t.at)],
);

/** Who did what, when and with which outcome. Append-only: a trigger refuses every change. No card data, no personal data. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: at('at').notNull().default(sql`clock_timestamp()`),
    actor: text().notNull(),
    /** `payment.attempt`, `key.created`, … */
    action: text().notNull(),
    /** `payment/pay_…`, `api_key/key_…`, … */
    subject: text().notNull(),
    outcome: text().notNull(),
    requestId: text('request_id'),
    detail: jsonb().$type<Readonly<Record<string, unknown>>>().notNull().default({}),
  },
  (t) => [
    index('audit_log_newest').on(t.at.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('audit_log_of_subject').on(t.subject, t.at.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('audit_log_of_actor').on(t.actor, t.at.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('audit_log_of_action').on(t.action, t.at.desc().nullsFirst(), t.id.desc().nullsFirst()),
  ],
);

/** Comparisons of our books with the processors'. */
export const reconciliations = pgTable(
  'reconciliations',
  {
    id: text().primaryKey(),
    status: text().$type<ReconciliationStatus>().notNull(),
    /** Payments created from here, up to and without `to`. */
    from: at('from_at').notNull(),
    to: at('to_at').notNull(),
    compared: integer().notNull().default(0),
    /** Those that were found; the first of them are stored. */
    found: integer().notNull().default(0),
    /** Where the next attempt resumes. */
    progress: jsonb().$type<ReconciliationProgress>().notNull().default(sql`'{}'`),
    /** The attempt that runs it: no other may record progress. */
    runner: text(),
    /** Null while it runs, or where it completed. */
    failure: text(),
    actor: text().notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    completedAt: at('completed_at'),
  },
  (t) => [
    index('reconciliations_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    check('reconciliations_span', sql`${t.from} < ${t.to}`),
    check('reconciliations_status', sql`${t.status} in ('running', 'completed', 'failed')`),
  ],
);

export const discrepancies = pgTable(
  'discrepancies',
  {
    reconciliationId: text('reconciliation_id')
      .notNull()
      .references(() => reconciliations.id),
    /** What is found twice, because the comparison was resumed, is one row. */
    key: text().notNull(),
    kind: text().$type<DiscrepancyKind>().notNull(),
    gateway: text().$type<GatewayName>().notNull(),
    paymentId: text('payment_id'),
    providerReference: text('provider_reference'),
    ours: jsonb().$type<Readonly<Record<string, unknown>>>(),
    theirs: jsonb().$type<Readonly<Record<string, unknown>>>(),
    action: text().$type<DiscrepancyAction>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.reconciliationId, t.key] })],
);

/** What a running reconciliation has listed and not compared yet; deleted when it ends. */
export const reconciliationEntries = pgTable(
  'reconciliation_entries',
  {
    reconciliationId: text('reconciliation_id').notNull(),
    gateway: text().$type<GatewayName>().notNull(),
    /** `ours`: a payment of ours that the processor's lists may lack. */
    kind: text().$type<'payment' | 'refund' | 'dispute' | 'ours'>().notNull(),
    /** The processor's id; of ours, our payment's. */
    reference: text().notNull(),
    /** The payment that it is compared with: ours, else the processor's. */
    subject: text().notNull(),
    /** Null: none of ours is known for it. */
    paymentId: text('payment_id'),
    entry: jsonb().$type<Readonly<Record<string, unknown>>>().notNull(),
  },
  (t) => [
    primaryKey({ name: 'reconciliation_entries_pk', columns: [t.reconciliationId, t.gateway, t.kind, t.reference] }),
    index('reconciliation_entries_by_subject').on(t.reconciliationId, t.gateway, t.subject),
  ],
);
