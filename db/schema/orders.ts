/** Orders. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { Currency } from '../../domain/money.js';
import type { PostalAddress } from '../../domain/orders/details.js';
import type { Charge } from '../../domain/orders/money.js';
import type { OrderStatus } from '../../domain/orders/states.js';
import type { TimelineFacts } from '../../domain/orders/timeline.js';
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
    /**
     * The sums of domain/orders/money.ts, in minor units. Null: the order is from before its money had parts, and its
     * subtotal is its total.
     */
    subtotalAmount: count('subtotal_amount').default(0),
    discountAmount: count('discount_amount').notNull().default(0),
    taxAmount: count('tax_amount').notNull().default(0),
    chargeAmount: count('charge_amount').notNull().default(0),
    totalAmount: count('total_amount').notNull().default(0),
    taxesIncluded: boolean('taxes_included').notNull().default(false),
    charges: jsonb().$type<readonly Charge[]>().notNull().default([]),
    currency: text().$type<Currency>().notNull().default('USD'),
    /** Refunds that succeeded, and those under way. Minor units. */
    refundedAmount: count('refunded_amount').notNull().default(0),
    refundReserved: count('refund_reserved').notNull().default(0),
    /** A refund that succeeded, or is under way, has its charges. */
    chargesRefunded: boolean('charges_refunded').notNull().default(false),
    /** The shop that it came from; null: our own API. */
    channel: text(),
    /** The client's own id: unique among the orders of a channel that did not fail. */
    externalReference: text('external_reference'),
    shippingAddress: jsonb('shipping_address').$type<PostalAddress>(),
    billingAddress: jsonb('billing_address').$type<PostalAddress>(),
    metadata: jsonb().$type<Readonly<Record<string, string>>>().notNull().default({}),
    tags: text().array().$type<string[]>().notNull().default(sql`'{}'`),
    note: text(),
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
    index('orders_by_channel')
      .on(t.channel, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .concurrently()
      .where(sql`${t.channel} is not null`),
    // Of any channel, and with orders that failed.
    index('orders_by_external_reference')
      .on(t.externalReference, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .concurrently()
      .where(sql`${t.externalReference} is not null`),
    uniqueIndex('orders_external_reference')
      .on(sql`coalesce(${t.channel}, '')`, t.externalReference)
      .concurrently()
      .where(sql`${t.externalReference} is not null and ${t.status} <> 'failed'`),
    check(
      'orders_total',
      sql`${t.totalAmount} = ${t.subtotalAmount} - ${t.discountAmount} + ${t.chargeAmount}
        + case when ${t.taxesIncluded} then 0 else ${t.taxAmount} end`,
    ),
    check(
      'orders_amounts',
      sql`${t.subtotalAmount} >= 0 and ${t.discountAmount} between 0 and ${t.subtotalAmount}
        and ${t.taxAmount} >= 0 and ${t.chargeAmount} >= 0`,
    ),
    check(
      'orders_refunded',
      sql`${t.refundedAmount} >= 0 and ${t.refundReserved} >= 0
        and ${t.refundedAmount} + ${t.refundReserved} <= ${t.totalAmount}`,
    ),
  ],
);

/** The tags of orders, for lists by tag. */
export const orderTags = pgTable(
  'order_tags',
  {
    tag: text().notNull(),
    createdAt: at('created_at').notNull(),
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
  },
  (t) => [
    primaryKey({ columns: [t.orderId, t.tag] }),
    index('order_tags_newest').on(t.tag, t.createdAt.desc().nullsFirst(), t.orderId.desc().nullsFirst()),
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
    /** Its name when it was ordered, as the client gave it. */
    name: text(),
    /** Of the whole line, in minor units. */
    discount: count('discount').notNull().default(0),
    tax: count('tax').notNull().default(0),
    /** Units that refunds by line have returned, or are about to. */
    refundedUnits: count('refunded_units').notNull().default(0),
    location: text().notNull(),
    reservationId: text('reservation_id'),
  },
  (t) => [
    primaryKey({ columns: [t.orderId, t.line] }),
    check('order_lines_discount', sql`0 <= ${t.discount} and ${t.discount} <= ${t.quantity} * ${t.unitPriceAmount}`),
    check('order_lines_tax', sql`${t.tax} >= 0`),
    check('order_lines_refunded', sql`0 <= ${t.refundedUnits} and ${t.refundedUnits} <= ${t.quantity}`),
  ],
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
