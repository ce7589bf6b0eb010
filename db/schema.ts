/**
 * The tables of Holdfast. Functions, triggers and seeds are SQL in db/migrations beside the generated DDL.
 * Money is bigint minor units; times are timestamptz; quantities are bigint so that sums cannot overflow.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 6, mode: 'string' });
const count = (name: string) => bigint(name, { mode: 'number' });

// ── Catalogue ──────────────────────────────────────────────────────────────────────────────────────────────────────

export const suppliers = pgTable(
  'suppliers',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    active: boolean().notNull(),
    minOrderQuantity: count('min_order_quantity').notNull(),
    maxOrderQuantity: count('max_order_quantity').notNull(),
    /** Where it is asked; null: the sandbox. */
    url: text(),
    createdBy: text('created_by').notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('suppliers_newest').on(t.createdAt.desc(), t.id.desc()),
    check('suppliers_quantities', sql`0 < ${t.minOrderQuantity} and ${t.minOrderQuantity} <= ${t.maxOrderQuantity}`),
  ],
);

export const products = pgTable(
  'products',
  {
    sku: text().primaryKey(),
    name: text().notNull(),
    priceAmount: count('price_amount').notNull(),
    priceCurrency: text('price_currency').notNull(),
    status: text().notNull().default('active'),
    /** On hand plus on order at or below this asks the supplier for more; null: never by itself. */
    reorderPoint: count('reorder_point'),
    /** What replenishment fills up to; null: it cannot be replenished. */
    maxStock: count('max_stock'),
    supplierId: text('supplier_id').references(() => suppliers.id),
    /** What the supplier takes for one. */
    supplierPriceAmount: count('supplier_price_amount'),
    supplierPriceCurrency: text('supplier_price_currency'),
    /** The operation that created the row, so that a repeated create knows its own work. */
    createdBy: text('created_by').notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('products_newest').on(t.createdAt.desc().nullsFirst(), t.sku.desc().nullsFirst()),
    check('products_status', sql`${t.status} in ('draft', 'active', 'archived')`),
    check('products_price', sql`${t.priceAmount} between 0 and 99999999`),
    check('products_levels', sql`${t.reorderPoint} >= 0 and ${t.maxStock} > 0 and ${t.maxStock} >= ${t.reorderPoint}`),
    // Both or neither; `and` lets an unknown pass, so that null stays allowed.
    check(
      'products_supplier_price',
      sql`(${t.supplierPriceAmount} is null) = (${t.supplierPriceCurrency} is null) and ${t.supplierPriceAmount} between 0 and 99999999`,
    ),
  ],
);

export const locations = pgTable('locations', {
  code: text().primaryKey(),
  name: text().notNull(),
  /** A virtual location (`transit`) holds goods that are nowhere to be sold from. It is never listed. */
  virtual: boolean().notNull().default(false),
  createdBy: text('created_by').notNull(),
  createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
});

// ── Stock: written only by the function stock_apply ─────────────────────────────────────────────────────────────────

export const stockLevels = pgTable(
  'stock_levels',
  {
    sku: text()
      .notNull()
      .references(() => products.sku),
    location: text()
      .notNull()
      .references(() => locations.code),
    onHand: count('on_hand').notNull().default(0),
    reserved: count('reserved').notNull().default(0),
    /** `at` of the newest ledger row, so that the next one can be later. */
    changedAt: at('changed_at').notNull().default(sql`'-infinity'`),
  },
  (t) => [
    primaryKey({ columns: [t.sku, t.location] }),
    check('stock_levels_never_oversold', sql`0 <= ${t.reserved} and ${t.reserved} <= ${t.onHand}`),
  ],
);

export const stockLedger = pgTable(
  'stock_ledger',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    sku: text().notNull(),
    location: text().notNull(),
    kind: text().notNull(),
    onHandDelta: count('on_hand_delta').notNull(),
    reservedDelta: count('reserved_delta').notNull(),
    onHandAfter: count('on_hand_after').notNull(),
    reservedAfter: count('reserved_after').notNull(),
    reservationId: text('reservation_id'),
    operationKey: text('operation_key').notNull(),
    reference: text(),
    reason: text(),
    actor: text().notNull(),
    at: at('at').notNull(),
  },
  (t) => [
    uniqueIndex('stock_ledger_history').on(t.sku, t.location, t.at.desc().nullsFirst()),
    check('stock_ledger_balances', sql`0 <= ${t.reservedAfter} and ${t.reservedAfter} <= ${t.onHandAfter}`),
    check(
      'stock_ledger_kind',
      sql`${t.kind} in ('received','reserved','confirmed','cancelled','expired','consumed','adjusted','transferred_out','transferred_in','lost','returned')`,
    ),
  ],
);

/** No foreign key to the level: the function has it locked when it writes here, and the check took a quarter of its time. */
export const reservations = pgTable(
  'reservations',
  {
    id: text().primaryKey(),
    sku: text().notNull(),
    location: text().notNull(),
    quantity: count('quantity').notNull(),
    status: text().notNull().default('pending'),
    /** Null: a hold of its own, made by POST /api/reservations or an inventory operation. */
    orderId: text('order_id'),
    reference: text(),
    /** Null: does not run out by itself. */
    expiresAt: at('expires_at'),
    createdAt: at('created_at').notNull(),
    decidedAt: at('decided_at'),
  },
  (t) => [
    index('reservations_open').on(t.sku, t.location).where(sql`${t.status} = 'pending'`),
    index('reservations_due').on(t.expiresAt).where(sql`${t.status} = 'pending' and ${t.expiresAt} is not null`),
    check('reservations_quantity', sql`${t.quantity} > 0`),
    check('reservations_status', sql`${t.status} in ('pending','confirmed','cancelled','expired')`),
  ],
);

export const stockOperations = pgTable('stock_operations', {
  key: text().primaryKey(),
  /** json and not jsonb: it is written a thousand times for each time it is read, and the text is made anyway. */
  result: json().notNull(),
  at: at('at').notNull().default(sql`clock_timestamp()`),
});

// ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export const orders = pgTable(
  'orders',
  {
    id: text().primaryKey(),
    status: text().notNull(),
    customerId: text('customer_id'),
    customerName: text('customer_name'),
    customerEmail: text('customer_email'),
    totalAmount: count('total_amount').notNull().default(0),
    currency: text().notNull().default('USD'),
    paymentId: text('payment_id'),
    supplierReference: text('supplier_reference'),
    /** Nothing that a supplier still sends is for this order any more: it is on its way to its end. */
    restockGivenUp: boolean('restock_given_up').notNull().default(false),
    /** When its holds run out. Kept while the order is confirming (its holds do not run out then). */
    expiresAt: at('expires_at'),
    cancelReason: text('cancel_reason'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    refusedPayments: smallint('refused_payments').notNull().default(0),
    workflowId: text('workflow_id').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [
    index('orders_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('orders_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('orders_by_customer').on(t.customerId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
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
    unitPriceCurrency: text('unit_price_currency').notNull(),
    location: text().notNull(),
    reservationId: text('reservation_id'),
  },
  (t) => [primaryKey({ columns: [t.orderId, t.line] })],
);

/** Every way an order may go; a trigger on `orders` refuses any other. Seeded from domain/order-states.ts. */
export const orderTransitions = pgTable(
  'order_transitions',
  { from: text('from_status').notNull(), to: text('to_status').notNull() },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);

export const orderEvents = pgTable(
  'order_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    from: text('from_status'),
    to: text('to_status').notNull(),
    reason: text(),
    actor: text().notNull(),
    traceId: text('trace_id'),
    at: at('at').notNull(),
  },
  (t) => [index('order_events_of_order').on(t.orderId, t.id)],
);

/** Order step key → its result, so that a step that is asked for again answers the same. */
export const orderSteps = pgTable('order_steps', {
  key: text().primaryKey(),
  orderId: text('order_id').notNull(),
  result: jsonb().notNull(),
  at: at('at').notNull().default(sql`clock_timestamp()`),
});

// ── Payments ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const payments = pgTable(
  'payments',
  {
    id: text().primaryKey(),
    status: text().notNull(),
    amount: count('amount').notNull(),
    currency: text().notNull(),
    orderId: text('order_id'),
    customerId: text('customer_id'),
    customerEmail: text('customer_email'),
    reference: text(),
    cardUsed: text('card_used'),
    /** 0 to 1, as text so that no digit is lost. */
    fraudScore: text('fraud_score'),
    attempts: jsonb().notNull().default([]),
    /** How it is to be paid (card tokens), kept while it is pending so that whoever takes it up can go on with it. */
    choice: jsonb(),
    /** Cards that were given up: whatever is still on its way for them can settle nothing any more. */
    abandoned: text().array().notNull().default(sql`'{}'`),
    refunded: count('refunded').notNull().default(0),
    providerReference: text('provider_reference'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('payments_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('payments_by_customer').on(t.customerId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('payments_of_order').on(t.orderId),
    check('payments_refunded', sql`0 <= ${t.refunded} and ${t.refunded} <= ${t.amount}`),
  ],
);

/** Every way a payment may go; a trigger on `payments` refuses any other. Seeded from domain/payment-states.ts. */
export const paymentTransitions = pgTable(
  'payment_transitions',
  { from: text('from_status').notNull(), to: text('to_status').notNull() },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);

// ── Supply ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export const transfers = pgTable(
  'transfers',
  {
    id: text().primaryKey(),
    sku: text().notNull(),
    quantity: count('quantity').notNull(),
    from: text('from_location').notNull(),
    to: text('to_location').notNull(),
    mode: text().notNull(),
    status: text().notNull(),
    reservationId: text('reservation_id'),
    /** What arrived; null until it is known. What was sent less this is lost. */
    received: count('received'),
    /** Why it was cancelled, or less arrived than was sent. */
    reason: text(),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    workflowId: text('workflow_id').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [
    index('transfers_newest').on(t.createdAt.desc(), t.id.desc()),
    check('transfers_mode', sql`${t.mode} in ('immediate', 'shipped')`),
    check(
      'transfers_status',
      sql`${t.status} in ('pending','reserved','in_transit','completed','cancelled','failed','manual_review')`,
    ),
    check('transfers_received', sql`${t.received} is null or ${t.received} between 0 and ${t.quantity}`),
  ],
);

/** Every way a transfer may go; a trigger on `transfers` refuses any other. Seeded from domain/transfer-states.ts. */
export const transferTransitions = pgTable(
  'transfer_transitions',
  { from: text('from_status').notNull(), to: text('to_status').notNull() },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);

/** Transfer step key → its result, so that a step that is asked for again answers the same. */
export const transferSteps = pgTable('transfer_steps', {
  key: text().primaryKey(),
  transferId: text('transfer_id').notNull(),
  result: jsonb().notNull(),
  at: at('at').notNull().default(sql`clock_timestamp()`),
});

export const replenishments = pgTable(
  'replenishments',
  {
    id: text().primaryKey(),
    sku: text().notNull(),
    location: text().notNull(),
    status: text().notNull(),
    quantity: count('quantity').notNull(),
    /** Who is asked, and at what price for one: as it was when it was planned. */
    supplierId: text('supplier_id').notNull(),
    unitPriceAmount: count('unit_price_amount').notNull(),
    unitPriceCurrency: text('unit_price_currency').notNull(),
    purchaseOrderId: text('purchase_order_id'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('replenishments_newest').on(t.createdAt.desc(), t.id.desc()),
    index('replenishments_failed').on(t.sku, t.location, t.updatedAt).where(sql`${t.status} = 'failed'`),
    // One at a time for a SKU at a location, whoever starts them.
    uniqueIndex('replenishments_running').on(t.sku, t.location).where(sql`${t.status} = 'running'`),
    check('replenishments_status', sql`${t.status} in ('running', 'completed', 'failed')`),
  ],
);

/**
 * Who was answered before anything was planned. The id may never become a replenishment's: where another runs for the SKU
 * and location by then, that one is meant.
 */
export const replenishmentRequests = pgTable('replenishment_requests', {
  id: text().primaryKey(),
  sku: text().notNull(),
  location: text().notNull(),
  /** Of `replenishment/<sku>/<location>`: the update that asks for it. */
  updateId: text('update_id').notNull(),
  createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
});

export const purchaseOrders = pgTable(
  'purchase_orders',
  {
    id: text().primaryKey(),
    supplierId: text('supplier_id').notNull(),
    /** The supplier's own number. */
    supplierOrderId: text('supplier_order_id').notNull(),
    status: text().notNull(),
    sku: text().notNull(),
    location: text().notNull(),
    quantity: count('quantity').notNull(),
    unitPriceAmount: count('unit_price_amount').notNull(),
    unitPriceCurrency: text('unit_price_currency').notNull(),
    replenishmentId: text('replenishment_id').notNull(),
    receivedAt: at('received_at'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('purchase_orders_newest').on(t.createdAt.desc(), t.id.desc()),
    index('purchase_orders_coming').on(t.sku, t.location).where(sql`${t.status} in ('ordered', 'shipped')`),
    check('purchase_orders_status', sql`${t.status} in ('ordered','shipped','delivered','cancelled','failed')`),
  ],
);

// ── What a person must look at ──────────────────────────────────────────────────────────────────────────────────────

export const manualReviews = pgTable(
  'manual_reviews',
  {
    id: text().primaryKey(),
    /** `compensation_failed`, `mail_undeliverable`, `delivery_overdue`, `replenishment_failed`. */
    kind: text().notNull(),
    /** What it is about: `order/ord_…`, `payment/pay_…`. */
    subject: text().notNull(),
    /** All that a person needs to decide. No personal data, no card tokens. */
    detail: jsonb().notNull(),
    status: text().notNull().default('open'),
    attempts: integer().notNull(),
    lastError: text('last_error'),
    /** `{ by: 'person' | 'success', resolution, note, actor, at }` once resolved. */
    resolution: jsonb(),
    /** The workflow that waits for the decision; null where none does. */
    workflowId: text('workflow_id'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('manual_reviews_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('manual_reviews_open')
      .on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.status} = 'open'`),
    check('manual_reviews_status', sql`${t.status} in ('open', 'resolved')`),
  ],
);

// ── What follows a committed change ─────────────────────────────────────────────────────────────────────────────────

/**
 * One row for each thing that must happen because of a committed change, written in that change's transaction. A relay
 * gives rows a batch, starts the workflow of that batch, and marks them delivered: a relay that dies anywhere in between
 * leaves a row that the next one carries on with.
 */
export const outbox = pgTable(
  'outbox',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /**
     * `mail`: to a customer, `notice`: to our own people; payload `{ template, ... }`. `replenish`: a SKU at a location is
     * low, payload `{ sku, location }`.
     */
    topic: text().notNull(),
    /** Rows of one SKU are delivered in their order, by one relay at a time. */
    sku: text(),
    /** The same fact twice is one row. */
    dedupKey: text('dedup_key').notNull(),
    payload: jsonb().notNull(),
    batchId: text('batch_id'),
    /** Deliveries that failed for a reason of their own; after some the row is put before a person. */
    attempts: integer().notNull().default(0),
    lastError: text('last_error'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    /**
     * Of a `replenish` row: a relay is at work on it until then, or it is not tried again before. Null: no relay has seen
     * it; once it is set it stays set, so that a change that comes while a relay is at work writes a row of its own.
     */
    claimedUntil: at('claimed_until'),
    deliveredAt: at('delivered_at'),
    /** When it was put before a person instead. */
    abandonedAt: at('abandoned_at'),
    /** When the mail server took it; a mail is not sent again after that. */
    sentAt: at('sent_at'),
  },
  (t) => [
    uniqueIndex('outbox_once').on(t.topic, t.dedupKey),
    index('outbox_waiting').on(t.id).where(sql`${t.deliveredAt} is null and ${t.abandonedAt} is null`),
    index('outbox_waiting_of_sku')
      .on(t.sku, t.id)
      .where(sql`${t.topic} = 'replenish' and ${t.deliveredAt} is null and ${t.abandonedAt} is null`),
    // A level that is low and waits to be seen to is one row, however often it changes meanwhile.
    uniqueIndex('outbox_replenish_unseen')
      .on(t.sku, sql`(${t.payload} ->> 'location')`)
      .where(sql`${t.topic} = 'replenish' and ${t.claimedUntil} is null`),
    index('outbox_batch').on(t.batchId),
  ],
);

// ── API ground ──────────────────────────────────────────────────────────────────────────────────────────────────────

export const apiKeys = pgTable('api_keys', {
  id: text().primaryKey(),
  name: text().notNull(),
  /** SHA-256 of the whole key, hex: keys carry 192 random bits, so that no slow hash is needed. */
  hash: text().notNull().unique(),
  scopes: text().array().notNull(),
  createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
  revokedAt: at('revoked_at'),
});

/** API processes that are alive: a request whose process is not may be taken over. */
export const apiProcesses = pgTable('api_processes', {
  id: text().primaryKey(),
  aliveUntil: at('alive_until').notNull(),
});

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    apiKeyId: text('api_key_id').notNull(),
    key: text().notNull(),
    /** SHA-256 over method, path and body. */
    requestHash: text('request_hash').notNull(),
    /** The ids that the call creates, fixed before anything else happens: `{ resource, update }`. */
    ids: jsonb().notNull(),
    /** The API process at work on it; null once answered. */
    heldBy: text('held_by'),
    status: integer(),
    /** `{ headers, body }` of the stored answer. */
    response: jsonb(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [primaryKey({ columns: [t.apiKeyId, t.key] }), index('idempotency_keys_age').on(t.createdAt)],
);
