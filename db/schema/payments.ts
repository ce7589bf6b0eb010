/** Payments, their refunds, and what processors report. Amounts are in minor units. */
import { sql } from 'drizzle-orm';
import { boolean, check, index, jsonb, pgTable, primaryKey, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { Currency } from '../../domain/money.js';
import type { PaymentChoice } from '../../domain/orders/steps.js';
import type { DisputeStatus } from '../../domain/payments/disputes.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { RefundLine, RefundOrigin, RefundStatus } from '../../domain/payments/refunds.js';
import type { CardSlot, PaymentAttempt, PaymentStatus } from '../../domain/payments/states.js';
import { at, count } from './columns.js';

export const payments = pgTable(
  'payments',
  {
    id: text().primaryKey(),
    status: text().$type<PaymentStatus>().notNull(),
    amount: count('amount').notNull(),
    currency: text().$type<Currency>().notNull(),
    orderId: text('order_id'),
    customerId: text('customer_id'),
    customerEmail: text('customer_email'),
    reference: text(),
    /** The subscription that it pays for; null: none. */
    subscriptionId: text('subscription_id'),
    cardUsed: text('card_used').$type<CardSlot>(),
    /** 0 to 1, as text so that no digits are lost. */
    fraudScore: text('fraud_score'),
    attempts: jsonb().$type<readonly PaymentAttempt[]>().notNull().default([]),
    /** The cards to charge (tokens), kept while the payment is pending so that another run can resume it. */
    choice: jsonb().$type<PaymentChoice>(),
    /** The processor that it was made at, and where it is refunded. */
    gateway: text().$type<GatewayName>().notNull().default('sandbox'),
    /** Cards that were given up: a charge still in flight on one of them can settle nothing. */
    abandoned: text().array().$type<CardSlot[]>().notNull().default(sql`'{}'`),
    refunded: count('refunded').notNull().default(0),
    /** Refunds under way. */
    refundReserved: count('refund_reserved').notNull().default(0),
    /** Money that open disputes hold and lost ones took. */
    disputed: count('disputed').notNull().default(0),
    /** False while the processor says that the charge cannot be refunded. */
    refundable: boolean().notNull().default(true),
    /** When the reading of the processor's books began that was adopted last: an older one changes nothing. */
    adoptedAt: at('adopted_at'),
    providerReference: text('provider_reference'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('payments_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('payments_by_customer')
      .on(t.customerId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.customerId} is not null`),
    index('payments_of_order').on(t.orderId),
    check(
      'payments_refunded',
      sql`0 <= ${t.refunded} and 0 <= ${t.refundReserved} and 0 <= ${t.disputed}
        and ${t.refunded} + ${t.refundReserved} + ${t.disputed} <= ${t.amount}`,
    ),
    index('payments_at_processor')
      .on(t.providerReference, t.gateway)
      .concurrently()
      .where(sql`${t.providerReference} is not null`),
  ],
);

/**
 * The allowed transitions of payments; a trigger on `payments` rejects all others. Seeded from
 * domain/payments/states.ts.
 */
export const paymentTransitions = pgTable(
  'payment_transitions',
  {
    from: text('from_status').$type<PaymentStatus>().notNull(),
    to: text('to_status').$type<PaymentStatus>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);

/** The processor's id of an operation, stored before money moves, so that its outcome can be read after a lost answer. */
export const providerOperations = pgTable(
  'provider_operations',
  {
    paymentId: text('payment_id').notNull(),
    card: text().$type<CardSlot>().notNull(),
    gateway: text().$type<GatewayName>().notNull(),
    providerId: text('provider_id').notNull(),
    at: at('at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    primaryKey({ columns: [t.paymentId, t.card] }),
    index('provider_operations_by_id').on(t.gateway, t.providerId),
  ],
);

export const refunds = pgTable(
  'refunds',
  {
    id: text().primaryKey(),
    /** Null: a refund of a payment without an order. */
    orderId: text('order_id'),
    /** Null: an order that was paid outside Holdfast. */
    paymentId: text('payment_id'),
    /** Null: no processor is asked. */
    gateway: text().$type<GatewayName>(),
    amount: count('amount').notNull(),
    currency: text().$type<Currency>().notNull(),
    status: text().$type<RefundStatus>().notNull(),
    origin: text().$type<RefundOrigin>().notNull(),
    lines: jsonb().$type<readonly RefundLine[]>().notNull().default([]),
    /** It has the order's charges. */
    charges: boolean().notNull().default(false),
    /** The goods come back to the stock. */
    restock: boolean().notNull().default(false),
    restocked: boolean().notNull().default(false),
    reason: text().notNull(),
    /** Attempts at the processor that are over; the next one's key has this number. */
    attempts: smallint().notNull().default(0),
    providerReference: text('provider_reference'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    actor: text().notNull(),
    traceId: text('trace_id'),
    createdAt: at('created_at').notNull(),
    settledAt: at('settled_at'),
  },
  (t) => [
    index('refunds_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('refunds_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('refunds_of_order')
      .on(t.orderId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.orderId} is not null`),
    index('refunds_of_payment')
      .on(t.paymentId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.paymentId} is not null`),
    uniqueIndex('refunds_at_processor')
      .on(t.gateway, t.providerReference)
      .where(sql`${t.providerReference} is not null`),
    check('refunds_amount', sql`${t.amount} >= 0`),
    check('refunds_status', sql`${t.status} in ('pending', 'succeeded', 'failed')`),
  ],
);

/** What processors have reported by webhook: stored before the answer 200, each event once. The object itself is read afresh. */
export const processorEvents = pgTable(
  'processor_events',
  {
    gateway: text().$type<GatewayName>().notNull(),
    eventId: text('event_id').notNull(),
    type: text().notNull(),
    /** The processor's id of the payment that it is about; null where it is of no interest to us. */
    providerId: text('provider_id'),
    receivedAt: at('received_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [primaryKey({ columns: [t.gateway, t.eventId] }), index('processor_events_age').on(t.receivedAt)],
);

/** What a cardholder's bank asks back, as the processor's books show it. */
export const disputes = pgTable(
  'disputes',
  {
    id: text().primaryKey(),
    paymentId: text('payment_id').notNull(),
    /** Null: the payment is none of an order's. */
    orderId: text('order_id'),
    gateway: text().$type<GatewayName>().notNull(),
    amount: count('amount').notNull(),
    currency: text().$type<Currency>().notNull(),
    reason: text().notNull(),
    status: text().$type<DisputeStatus>().notNull(),
    /** Whether the processor refunds the payment meanwhile. */
    refundable: boolean().notNull(),
    openedAt: at('opened_at').notNull(),
    closedAt: at('closed_at'),
    providerReference: text('provider_reference').notNull(),
  },
  (t) => [
    index('disputes_newest').on(t.openedAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('disputes_by_status').on(t.status, t.openedAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('disputes_of_payment').on(t.paymentId, t.openedAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    uniqueIndex('disputes_at_processor').on(t.gateway, t.providerReference),
    check('disputes_amount', sql`${t.amount} >= 0`),
    check('disputes_status', sql`${t.status} in ('inquiry', 'open', 'won', 'lost', 'closed')`),
  ],
);

/** How far the list of changes of each processor was read. */
export const processorMarks = pgTable('processor_marks', {
  gateway: text().$type<GatewayName>().primaryKey(),
  /** Where the next look begins. */
  since: at('since').notNull(),
  /** Of the next page of that look; null: its first. */
  cursor: text(),
});
