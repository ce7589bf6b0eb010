/** Reads orders. Every read is one round trip. */
import { and, asc, desc, eq, gt, gte, lt, ne, notInArray, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { OrderStatus } from '../../domain/orders/states.js';
import { disputesOfPayment } from '../payments/disputes.js';
import { rulesOfPayment } from '../payments/fraud.js';
import { type Database, preparedOnce } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { orderEvents, orderLines, orders, orderTags, payments } from '../schema/index.js';

/** A stored order line, with its price in minor units. */
export type OrderLineRow = Pick<
  typeof orderLines.$inferSelect,
  | 'sku'
  | 'name'
  | 'quantity'
  | 'unitPriceAmount'
  | 'unitPriceCurrency'
  | 'discount'
  | 'tax'
  | 'location'
  | 'reservationId'
>;
export type OrderEventRow = typeof orderEvents.$inferSelect;

const lines = sql<OrderLineRow[]>`coalesce((
  select json_agg(json_build_object(
    'sku', ${orderLines.sku}, 'name', ${orderLines.name}, 'quantity', ${orderLines.quantity},
    'unitPriceAmount', ${orderLines.unitPriceAmount}, 'unitPriceCurrency', ${orderLines.unitPriceCurrency},
    'discount', ${orderLines.discount}, 'tax', ${orderLines.tax},
    'location', ${orderLines.location}, 'reservationId', ${orderLines.reservationId}) order by ${orderLines.line})
  from ${orderLines} where ${orderLines.orderId} = ${orders.id}), '[]')`;

const select = (db: Database) =>
  db
    .select({ order: orders, lines, payment: payments, disputes: disputesOfPayment, fraudRules: rulesOfPayment })
    .from(orders)
    .leftJoin(payments, eq(payments.id, orders.paymentId));

/** A stored order, with its lines, its latest payment and that payment's disputes. */
export type StoredOrder = Awaited<ReturnType<typeof select>>[number];

const byId = preparedOnce((db) =>
  select(db)
    .where(eq(orders.id, sql.placeholder('id')))
    .prepare('order'),
);

export async function getOrder(db: Database, id: string): Promise<StoredOrder | null> {
  const [row] = await byId(db).execute({ id });
  return row ?? null;
}

export interface OrderFilters {
  readonly status?: OrderStatus | undefined;
  readonly customerId?: string | undefined;
  readonly externalReference?: string | undefined;
  readonly tag?: string | undefined;
  readonly channel?: string | undefined;
  /** Created at this time or later. */
  readonly from?: string | undefined;
  /** Created before this time. */
  readonly to?: string | undefined;
}

export async function listOrders(
  db: Database,
  query: OrderFilters & { readonly limit: number; readonly cursor: Cursor | null },
): Promise<Page<StoredOrder>> {
  const { tag } = query;
  // A tag's rows have the time of their order, so that its page is one range of their index.
  const [at, id] = tag === undefined ? [orders.createdAt, orders.id] : [orderTags.createdAt, orderTags.orderId];
  const listed = select(db).$dynamic();
  const found = await (tag === undefined
    ? listed
    : listed.innerJoin(orderTags, and(eq(orderTags.orderId, orders.id), eq(orderTags.tag, tag)))
  )
    .where(
      and(
        equal(orders.status, query.status),
        equal(orders.customerId, query.customerId),
        equal(orders.externalReference, query.externalReference),
        equal(orders.channel, query.channel),
        query.from === undefined ? undefined : gte(at, query.from),
        query.to === undefined ? undefined : lt(at, query.to),
        behind(at, id, query.cursor),
      ),
    )
    .orderBy(desc(at), desc(id))
    .limit(query.limit + 1);
  return pageOf('orders', found, query.limit, ({ order }) => ({ at: order.createdAt, id: order.id }));
}

/** A filter; none where no value is wanted. */
function equal(column: PgColumn, value: string | undefined): SQL | undefined {
  return value === undefined ? undefined : eq(column, value);
}

/** The order of a channel, or without one, that has this external reference and did not fail. */
export async function orderOfReference(
  db: Database,
  externalReference: string,
  channel: string | null,
): Promise<string | null> {
  const [row] = await db
    .select({ id: orders.id })
    .from(orders)
    .where(
      and(
        eq(sql`coalesce(${orders.channel}, '')`, channel ?? ''),
        eq(orders.externalReference, externalReference),
        ne(orders.status, 'failed'),
      ),
    );
  return row?.id ?? null;
}

/**
 * A page of the order's timeline, oldest first; null if there is no such order. Each step locks its order, so later
 * entries have higher numbers, and no page misses an entry.
 * @param after the number of the last entry on the previous page; 0: from the start
 */
export async function orderTimeline(
  db: Database,
  query: { id: string; limit: number; after: number },
): Promise<Page<OrderEventRow> | null> {
  const { id, limit, after } = query;
  const rows = await db
    .select({ event: orderEvents })
    .from(orders)
    .leftJoin(orderEvents, and(eq(orderEvents.orderId, orders.id), gt(orderEvents.id, after)))
    .where(eq(orders.id, id))
    .orderBy(asc(orderEvents.id))
    .limit(limit + 1);
  if (rows.length === 0) return null;
  const events = rows.flatMap(({ event }) => event ?? []);
  return pageOf('timeline', events, limit, ({ at, id: number }) => ({ at, id: String(number) }));
}

/**
 * Overdue orders that no workflow has expired, because their timer was lost: at most `limit`, the longest overdue first,
 * without those in `skipped`.
 */
export async function overdueOrderIds(
  db: Database,
  limit: number,
  skipped: readonly string[] = [],
): Promise<readonly { id: string; expiresAt: string }[]> {
  const rows = await db
    .select({ id: orders.id, expiresAt: orders.expiresAt })
    .from(orders)
    .where(
      and(
        sql`${orders.status} in ('draft', 'reserved') and ${orders.expiresAt} <= now()`,
        skipped.length === 0 ? undefined : notInArray(orders.id, [...skipped]),
      ),
    )
    .orderBy(asc(orders.expiresAt))
    .limit(limit);
  return rows.map((row) => ({ id: row.id, expiresAt: row.expiresAt ?? '' }));
}
