/** Transfers, replenishments and purchase orders. */
import { sql } from 'drizzle-orm';
import { check, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { Currency } from '../../domain/money.js';
import type { StoredFacts } from '../../domain/refusals.js';
import type { PurchaseOrderStatus, ReplenishmentStatus } from '../../domain/replenishment.js';
import type { TransferMode, TransferStatus } from '../../domain/transfers/states.js';
import { at, count } from './columns.js';

export const transfers = pgTable(
  'transfers',
  {
    id: text().primaryKey(),
    sku: text().notNull(),
    quantity: count('quantity').notNull(),
    from: text('from_location').notNull(),
    to: text('to_location').notNull(),
    mode: text().$type<TransferMode>().notNull(),
    status: text().$type<TransferStatus>().notNull(),
    reservationId: text('reservation_id'),
    /** The quantity that arrived; null until it is known. The rest is lost. */
    received: count('received'),
    /** Why it was cancelled, or why less arrived than was sent. */
    reason: text(),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    /** The facts of a refusal made in SQL: domain/refusals.ts writes its detail from them. */
    failureFacts: jsonb('failure_facts').$type<StoredFacts>(),
    workflowId: text('workflow_id').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [
    index('transfers_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('transfers_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('transfers_of_sku').on(t.sku, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('transfers_of_sku_by_status').on(t.sku, t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    check('transfers_mode', sql`${t.mode} in ('immediate', 'shipped')`),
    check(
      'transfers_status',
      sql`${t.status} in ('pending','reserved','in_transit','completed','cancelled','failed','manual_review')`,
    ),
    check('transfers_received', sql`${t.received} is null or ${t.received} between 0 and ${t.quantity}`),
  ],
);

/**
 * The allowed transitions of transfers; a trigger on `transfers` rejects all others. Seeded from
 * domain/transfers/states.ts.
 */
export const transferTransitions = pgTable(
  'transfer_transitions',
  {
    from: text('from_status').$type<TransferStatus>().notNull(),
    to: text('to_status').$type<TransferStatus>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.from, t.to] })],
);

/** The result of each transfer step by its key, so that a repeated step returns it. */
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
    status: text().$type<ReplenishmentStatus>().notNull(),
    quantity: count('quantity').notNull(),
    /** The supplier and its unit price at the time of planning. */
    supplierId: text('supplier_id').notNull(),
    unitPriceAmount: count('unit_price_amount').notNull(),
    unitPriceCurrency: text('unit_price_currency').$type<Currency>().notNull(),
    purchaseOrderId: text('purchase_order_id'),
    failureCode: text('failure_code'),
    failureDetail: text('failure_detail'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('replenishments_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('replenishments_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('replenishments_of_sku').on(t.sku, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('replenishments_of_sku_by_status').on(
      t.sku,
      t.status,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index('replenishments_failed').on(t.sku, t.location, t.updatedAt).where(sql`${t.status} = 'failed'`),
    // One at a time for a SKU at a location.
    uniqueIndex('replenishments_running').on(t.sku, t.location).where(sql`${t.status} = 'running'`),
    check('replenishments_status', sql`${t.status} in ('running', 'completed', 'failed')`),
  ],
);

/**
 * Requests that were answered before anything was planned. The id may never become a replenishment: if another one is
 * running for the SKU and location by then, the request joins it.
 */
export const replenishmentRequests = pgTable('replenishment_requests', {
  id: text().primaryKey(),
  sku: text().notNull(),
  location: text().notNull(),
  /** The update of `replenishment/<sku>/<location>` that carries the request. */
  updateId: text('update_id').notNull(),
  createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
});

export const purchaseOrders = pgTable(
  'purchase_orders',
  {
    id: text().primaryKey(),
    supplierId: text('supplier_id').notNull(),
    /** The supplier's own id. */
    supplierOrderId: text('supplier_order_id').notNull(),
    status: text().$type<PurchaseOrderStatus>().notNull(),
    sku: text().notNull(),
    location: text().notNull(),
    quantity: count('quantity').notNull(),
    unitPriceAmount: count('unit_price_amount').notNull(),
    unitPriceCurrency: text('unit_price_currency').$type<Currency>().notNull(),
    replenishmentId: text('replenishment_id').notNull(),
    receivedAt: at('received_at'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('purchase_orders_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('purchase_orders_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('purchase_orders_of_sku').on(t.sku, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('purchase_orders_of_sku_by_status').on(
      t.sku,
      t.status,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index('purchase_orders_coming').on(t.sku, t.location).where(sql`${t.status} in ('ordered', 'shipped')`),
    check('purchase_orders_status', sql`${t.status} in ('ordered','shipped','delivered','cancelled','failed')`),
  ],
);
