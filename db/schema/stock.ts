/** Suppliers, products, locations and stock. Only stock_apply writes levels, ledger rows and reservations. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { maxMinorUnits } from '../../domain/limits.js';
import type { Currency } from '../../domain/money.js';
import type { ProductStatus } from '../../domain/products.js';
import type { LedgerDifference, LedgerKind, ReservationStatus, VerificationStatus } from '../../domain/stock.js';
import { at, count } from './columns.js';

const maxAmount = sql.raw(String(maxMinorUnits));

export const suppliers = pgTable(
  'suppliers',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    active: boolean().notNull(),
    minOrderQuantity: count('min_order_quantity').notNull(),
    maxOrderQuantity: count('max_order_quantity').notNull(),
    /** Base URL of its API; null: the sandbox. */
    url: text(),
    createdBy: text('created_by').notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('suppliers_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    check('suppliers_quantities', sql`0 < ${t.minOrderQuantity} and ${t.minOrderQuantity} <= ${t.maxOrderQuantity}`),
  ],
);

export const products = pgTable(
  'products',
  {
    sku: text().primaryKey(),
    name: text().notNull(),
    priceAmount: count('price_amount').notNull(),
    priceCurrency: text('price_currency').$type<Currency>().notNull(),
    status: text().$type<ProductStatus>().notNull().default('active'),
    /** Replenish when on hand plus on order is at or below this; null: only on request. */
    reorderPoint: count('reorder_point'),
    /** Replenishment fills the stock up to this; null: it cannot be replenished. */
    maxStock: count('max_stock'),
    supplierId: text('supplier_id').references(() => suppliers.id),
    /** The supplier's price for one unit. */
    supplierPriceAmount: count('supplier_price_amount'),
    supplierPriceCurrency: text('supplier_price_currency').$type<Currency>(),
    /** When the reorder point was last changed; null: never since the product was created. */
    reorderPointSetAt: at('reorder_point_set_at'),
    /** The operation that created the row, so that a repeated create recognizes it. */
    createdBy: text('created_by').notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    updatedAt: at('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('products_newest').on(t.createdAt.desc().nullsFirst(), t.sku.desc().nullsFirst()),
    index('products_of_supplier').on(t.supplierId).where(sql`${t.supplierId} is not null`),
    check('products_status', sql`${t.status} in ('draft', 'active', 'archived')`),
    check('products_price', sql`${t.priceAmount} between 0 and ${maxAmount}`),
    check('products_levels', sql`${t.reorderPoint} >= 0 and ${t.maxStock} > 0 and ${t.maxStock} >= ${t.reorderPoint}`),
    // Both or neither. The comparison is unknown for null, which a check allows.
    check(
      'products_supplier_price',
      sql`(${t.supplierPriceAmount} is null) = (${t.supplierPriceCurrency} is null) and ${t.supplierPriceAmount} between 0 and ${maxAmount}`,
    ),
  ],
);

export const locations = pgTable(
  'locations',
  {
    code: text().primaryKey(),
    name: text().notNull(),
    /** A virtual location (`transit`) holds goods that cannot be sold from it. It is never listed. */
    virtual: boolean().notNull().default(false),
    createdBy: text('created_by').notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('locations_newest')
      .on(t.createdAt.desc().nullsFirst(), t.code.desc().nullsFirst())
      .where(sql`not ${t.virtual}`),
  ],
);

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
    /** Holds with status `pending`, also those that have expired and still wait for the sweep. Kept by stock_apply alone. */
    openHolds: count('open_holds').notNull().default(0),
    /** `at` of the newest ledger row, so that the next one can be later. */
    changedAt: at('changed_at').notNull().default(sql`'-infinity'`),
  },
  (t) => [
    primaryKey({ columns: [t.sku, t.location] }),
    check('stock_levels_never_oversold', sql`0 <= ${t.reserved} and ${t.reserved} <= ${t.onHand}`),
  ],
);

/**
 * Levels that may need a refill: those at or below their reorder point when they last changed, and levels without any
 * stock yet, if the product's reorder point was changed since it was created. Triggers write a row in the transaction
 * of the change. The sweep reads only these rows, and removes those of levels that are no longer low or have no
 * supplier.
 */
export const lowLevels = pgTable(
  'low_levels',
  {
    sku: text().notNull(),
    location: text().notNull(),
    /** When the level last changed: a row that changes while the sweep reads it is not removed. */
    markedAt: at('marked_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.sku, t.location] })],
);

/** Verifications of the whole ledger against levels and open holds, with the progress of each. */
export const ledgerVerifications = pgTable(
  'ledger_verifications',
  {
    id: text().primaryKey(),
    status: text().$type<VerificationStatus>().notNull(),
    /** Levels compared so far, and levels that existed when it began. */
    checked: count('checked').notNull().default(0),
    total: count('total').notNull(),
    /** The first differences found; `differenceCount` counts all of them. */
    differences: jsonb().$type<readonly LedgerDifference[]>().notNull().default([]),
    differenceCount: count('difference_count').notNull().default(0),
    /** Where the walk continues. */
    position: jsonb().notNull(),
    /** The attempt that owns the run: an earlier one, taken for dead, can no longer write. */
    runner: text(),
    createdAt: at('created_at').notNull(),
    completedAt: at('completed_at'),
  },
  (t) => [
    index('ledger_verifications_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    check('ledger_verifications_status', sql`${t.status} in ('running', 'completed', 'cancelled')`),
  ],
);

export const stockLedger = pgTable(
  'stock_ledger',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    sku: text().notNull(),
    location: text().notNull(),
    kind: text().$type<LedgerKind>().notNull(),
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

/**
 * No foreign key to the level: the function locks the level before it writes here, and the check took a quarter of its
 * time.
 */
export const reservations = pgTable(
  'reservations',
  {
    id: text().primaryKey(),
    sku: text().notNull(),
    location: text().notNull(),
    quantity: count('quantity').notNull(),
    status: text().$type<ReservationStatus>().notNull().default('pending'),
    /** Null: a direct hold, made by POST /api/reservations or an inventory operation. */
    orderId: text('order_id'),
    reference: text(),
    /** Null: never expires. */
    expiresAt: at('expires_at'),
    createdAt: at('created_at').notNull(),
    decidedAt: at('decided_at'),
  },
  (t) => [
    // The newest open holds of a level. Without expires_at, or Postgres would look for overdue ones in all of it.
    index('reservations_open_newest')
      .on(t.sku, t.location, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .concurrently()
      .where(sql`${t.status} = 'pending'`),
    // Those of a level that have expired. By an expression, so that Postgres neither finds them in the other indexes, which
    // hold more, nor the newest ones in this.
    index('reservations_due_of_level')
      .on(t.sku, t.location, sql`coalesce(${t.expiresAt}, 'infinity')`)
      .concurrently()
      .where(sql`${t.status} = 'pending' and coalesce(${t.expiresAt}, 'infinity') <> 'infinity'`),
    index('reservations_due').on(t.expiresAt).where(sql`${t.status} = 'pending' and ${t.expiresAt} is not null`),
    check('reservations_quantity', sql`${t.quantity} > 0`),
    check('reservations_status', sql`${t.status} in ('pending','confirmed','cancelled','expired')`),
  ],
);

export const stockOperations = pgTable('stock_operations', {
  key: text().primaryKey(),
  /** json rather than jsonb: it is written a thousand times more often than it is read, and the text exists anyway. */
  result: json().notNull(),
  at: at('at').notNull().default(sql`clock_timestamp()`),
});
