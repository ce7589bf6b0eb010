/** Orders as clients see them. Every read is one round trip. */
import { and, asc, desc, eq, gt, lt, notInArray, or, sql } from 'drizzle-orm';
import { presentReason } from '../../domain/orders/timeline.js';
import { presentFailure } from '../../domain/refusals.js';
import { type PaymentView, viewPayment } from '../payments/queries.js';
import { type Database, putTogetherOnce } from '../postgres/client.js';
import { type Cursor, type Page, pageOf } from '../postgres/page.js';
import { rfc3339 } from '../postgres/time.js';
import { orderEvents, orderLines, orders, payments } from '../schema/index.js';

interface MoneyView {
  readonly amount: number;
  readonly currency: string;
}

export interface OrderLineView {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: MoneyView;
  readonly location: string;
  readonly reservationId: string | null;
}

/** The order resource of the contract. */
export interface OrderView {
  readonly id: string;
  readonly status: string;
  readonly customer: { readonly id?: string; readonly name?: string; readonly email?: string };
  readonly lines: readonly OrderLineView[];
  readonly total: MoneyView;
  readonly payment: PaymentView | null;
  readonly supplierReference: string | null;
  readonly expiresAt: string | null;
  readonly cancelReason: string | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly workflowId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** One line of an order's story. `traceId` is the W3C trace id of the call that caused it. */
export interface TimelineEntry {
  readonly at: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason: string | null;
  readonly actor: string;
  readonly traceId: string | null;
}

const lines = sql<OrderLineView[]>`coalesce((
  select json_agg(json_build_object(
    'sku', ${orderLines.sku}, 'quantity', ${orderLines.quantity},
    'unitPrice', json_build_object('amount', ${orderLines.unitPriceAmount}, 'currency', ${orderLines.unitPriceCurrency}),
    'location', ${orderLines.location}, 'reservationId', ${orderLines.reservationId}) order by ${orderLines.line})
  from ${orderLines} where ${orderLines.orderId} = ${orders.id}), '[]')`;

const select = (db: Database) =>
  db
    .select({ order: orders, lines, payment: payments })
    .from(orders)
    .leftJoin(payments, eq(payments.id, orders.paymentId));

type OrderRow = Awaited<ReturnType<typeof select>>[number];

function viewOrder({ order, lines: orderedLines, payment }: OrderRow): OrderView {
  return {
    id: order.id,
    status: order.status,
    customer: {
      ...(order.customerId !== null && { id: order.customerId }),
      ...(order.customerName !== null && { name: order.customerName }),
      ...(order.customerEmail !== null && { email: order.customerEmail }),
    },
    lines: orderedLines,
    total: { amount: order.totalAmount, currency: order.currency },
    payment: payment && viewPayment(payment),
    supplierReference: order.supplierReference,
    expiresAt: order.status === 'draft' || order.status === 'reserved' ? rfc3339(order.expiresAt) : null,
    cancelReason: order.cancelReason,
    failure: presentFailure(order),
    workflowId: order.workflowId,
    createdAt: rfc3339(order.createdAt),
    updatedAt: rfc3339(order.updatedAt),
  };
}

const byId = putTogetherOnce((db) =>
  select(db)
    .where(eq(orders.id, sql.placeholder('id')))
    .prepare('order'),
);

export async function getOrder(db: Database, id: string): Promise<OrderView | null> {
  const [row] = await byId(db).execute({ id });
  return row ? viewOrder(row) : null;
}

export async function listOrders(
  db: Database,
  query: { status?: string | undefined; customerId?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<OrderView>> {
  const { cursor } = query;
  const found = await select(db)
    .where(
      and(
        query.status === undefined ? undefined : eq(orders.status, query.status),
        query.customerId === undefined ? undefined : eq(orders.customerId, query.customerId),
        cursor
          ? or(lt(orders.createdAt, cursor.at), and(eq(orders.createdAt, cursor.at), lt(orders.id, cursor.id)))
          : undefined,
      ),
    )
    .orderBy(desc(orders.createdAt), desc(orders.id))
    .limit(query.limit + 1);
  return pageOf(found, query.limit, ({ order }) => ({ at: order.createdAt, id: order.id }), viewOrder);
}

/**
 * A page of the order's timeline, oldest first; null where there is no such order. A step locks its order, so an entry that
 * is written later has a higher number, and a page that ends with one misses nothing before it.
 * @param after the number of the last entry of the page before; 0: from the start
 */
export async function orderTimeline(
  db: Database,
  query: { id: string; limit: number; after: number },
): Promise<Page<TimelineEntry> | null> {
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
  return pageOf(events, limit, ({ at, id: number }) => ({ at, id: String(number) }), viewEvent);
}

function viewEvent({ at, from, to, reason, facts, actor, traceId }: typeof orderEvents.$inferSelect): TimelineEntry {
  return { at: rfc3339(at), from, to, reason: presentReason(reason, facts), actor, traceId };
}

/**
 * Orders whose time ran out and that nobody ended, at most `limit`: what a lost timer left behind. Those that ran out first
 * come first; `passedOver` are left out.
 */
export async function overdueOrderIds(
  db: Database,
  limit: number,
  passedOver: readonly string[] = [],
): Promise<readonly { id: string; expiresAt: string }[]> {
  const rows = await db
    .select({ id: orders.id, expiresAt: orders.expiresAt })
    .from(orders)
    .where(
      and(
        sql`${orders.status} in ('draft', 'reserved') and ${orders.expiresAt} <= clock_timestamp()`,
        passedOver.length === 0 ? undefined : notInArray(orders.id, [...passedOver]),
      ),
    )
    .orderBy(asc(orders.expiresAt))
    .limit(limit);
  return rows.map((row) => ({ id: row.id, expiresAt: row.expiresAt ?? '' }));
}
