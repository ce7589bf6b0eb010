/** Reads orders. Every read is one round trip. */
import { and, asc, desc, eq, gt, notInArray, sql } from 'drizzle-orm';
import type { OrderStatus } from '../../domain/orders/states.js';
import { type Database, preparedOnce } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { orderEvents, orderLines, orders, payments } from '../schema/index.js';

/** A stored order line, with its price in minor units. */
export type OrderLineRow = Pick<
  typeof orderLines.$inferSelect,
  'sku' | 'quantity' | 'unitPriceAmount' | 'unitPriceCurrency' | 'location' | 'reservationId'
>;
export type OrderEventRow = typeof orderEvents.$inferSelect;

const lines = sql<OrderLineRow[]>`coalesce((
  select json_agg(json_build_object(
    'sku', ${orderLines.sku}, 'quantity', ${orderLines.quantity},
    'unitPriceAmount', ${orderLines.unitPriceAmount}, 'unitPriceCurrency', ${orderLines.unitPriceCurrency},
    'location', ${orderLines.location}, 'reservationId', ${orderLines.reservationId}) order by ${orderLines.line})
  from ${orderLines} where ${orderLines.orderId} = ${orders.id}), '[]')`;

const select = (db: Database) =>
  db
    .select({ order: orders, lines, payment: payments })
    .from(orders)
    .leftJoin(payments, eq(payments.id, orders.paymentId));

/** A stored order, with its lines and its latest payment. */
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

export async function listOrders(
  db: Database,
  query: { status?: OrderStatus | undefined; customerId?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<StoredOrder>> {
  const found = await select(db)
    .where(
      and(
        query.status === undefined ? undefined : eq(orders.status, query.status),
        query.customerId === undefined ? undefined : eq(orders.customerId, query.customerId),
        behind(orders.createdAt, orders.id, query.cursor),
      ),
    )
    .orderBy(desc(orders.createdAt), desc(orders.id))
    .limit(query.limit + 1);
  return pageOf('orders', found, query.limit, ({ order }) => ({ at: order.createdAt, id: order.id }));
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
