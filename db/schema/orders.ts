/** Orders and payments. */
import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, jsonb, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core';
import type { Currency } from '../../domain/money.js';
import type { OrderStatus } from '../../domain/orders/states.js';
import type { PaymentChoice } from '../../domain/orders/steps.js';
import type { TimelineFacts } from '../../domain/orders/timeline.js';
import type { CardSlot, PaymentAttempt, PaymentStatus } from '../../domain/payments/states.js';
import type { StoredFacts } from '../../domain/refusals.js';
import { at, count } from './columns.js';

export const orders = pgTable(
  'orders',
  {
    id: text().primaryKey(),
    status: text().$type<OrderStatus>().notNull(),
    customerId: text('customer_id'),
    customerName: text('customer_name'),
    customerEmail: text('customer_email'),
    totalAmount: count('total_amount').notNull().default(0),
    currency: text().$type<Currency>().notNull().default('USD'),
    paymentId: text('payment_id'),
    supplierReference: text('supplier_reference'),
    /** True once the order is ending: deliveries from suppliers are no longer for it. */
    restockGivenUp: boolean('restock_given_up').notNull().default(false),
    /** When its holds expire. Kept while the order is confirming, although they do not expire then. */
    expiresAt: at('expires_at'),
    cancelReason: text('cancel_reason'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    /** The facts of a refusal made in SQL: domain/refusals.ts writes its detail from them. */
    failureFacts: jsonb('failure_facts').$type<StoredFacts>(),
    refusedPayments: smallint('refused_payments').notNull().default(0),
    workflowId: text('workflow_id').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [
    index('orders_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('orders_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    // Partial, so that orders without a customer id cost these two nothing.
    index('orders_by_customer')
      .on(t.customerId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.customerId} is not null`),
    index('orders_by_customer_and_status')
      .on(t.customerId, t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.customerId} is not null`),
    index('orders_due').on(t.expiresAt).where(sql`${t.status} in ('draft', 'reserved')`),
  ],
);

export const orderLines = pgTable(
  'order_lines',
  {
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    line: smallint().notNull(),
    sku: text().notNull(),
    quantity: count('quantity').notNull(),
    unitPriceAmount: count('unit_price_amount').notNull(),
    unitPriceCurrency: text('unit_price_currency').$type<Currency>().notNull(),
    location: text().notNull(),
    reservationId: text('reservation_id'),
  },
  (t) => [primaryKey({ columns: [t.orderId, t.line] })],
);

/** The allowed transitions of orders; a trigger on `orders` rejects all others. Seeded from domain/orders/states.ts. */
export const orderTransitions = pgTable(
  'order_transitions',
  {
    from: text('from_status').$type<OrderStatus>().notNull(),
    to: text('to_status').$type<OrderStatus>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);

export const orderEvents = pgTable(
  'order_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    from: text('from_status').$type<OrderStatus>(),
    to: text('to_status').$type<OrderStatus>().notNull(),
    /** Text from a client, an operator or a workflow. With `facts`, a code: domain/orders/timeline.ts writes the text. */
    reason: text(),
    facts: jsonb().$type<TimelineFacts>(),
    actor: text().notNull(),
    traceId: text('trace_id'),
    at: at('at').notNull(),
  },
  (t) => [index('order_events_of_order').on(t.orderId, t.id)],
);

/** The result of each order step by its key, so that a repeated step returns it. */
export const orderSteps = pgTable('order_steps', {
  key: text().primaryKey(),
  orderId: text('order_id').notNull(),
  result: jsonb().notNull(),
  at: at('at').notNull().default(sql`clock_timestamp()`),
});

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
    cardUsed: text('card_used').$type<CardSlot>(),
    /** 0 to 1, as text so that no digits are lost. */
    fraudScore: text('fraud_score'),
    attempts: jsonb().$type<readonly PaymentAttempt[]>().notNull().default([]),
    /** The cards to charge (tokens), kept while the payment is pending so that another run can resume it. */
    choice: jsonb().$type<PaymentChoice>(),
    /** Cards that were given up: a charge still in flight on one of them can settle nothing. */
    abandoned: text().array().$type<CardSlot[]>().notNull().default(sql`'{}'`),
    refunded: count('refunded').notNull().default(0),
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
    check('payments_refunded', sql`0 <= ${t.refunded} and ${t.refunded} <= ${t.amount}`),
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
