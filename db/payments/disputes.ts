/** Reads disputes. They change only by adoption (db/payments/adoption.ts). */
import { and, desc, eq, sql } from 'drizzle-orm';
import type { DisputeStatus } from '../../domain/payments/disputes.js';
import type { Database } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { disputes, payments } from '../schema/index.js';

/** A stored dispute. Amounts in minor units. */
export type DisputeRow = typeof disputes.$inferSelect;

export async function getDispute(db: Database, id: string): Promise<DisputeRow | null> {
  const [row] = await db.select().from(disputes).where(eq(disputes.id, id));
  return row ?? null;
}

export interface DisputeQuery {
  readonly status?: DisputeStatus | undefined;
  readonly paymentId?: string | undefined;
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** Newest first. */
export async function listDisputes(db: Database, query: DisputeQuery): Promise<Page<DisputeRow>> {
  const rows = await db
    .select()
    .from(disputes)
    .where(
      and(
        query.status === undefined ? undefined : eq(disputes.status, query.status),
        query.paymentId === undefined ? undefined : eq(disputes.paymentId, query.paymentId),
        behind(disputes.openedAt, disputes.id, query.cursor),
      ),
    )
    .orderBy(desc(disputes.openedAt), desc(disputes.id))
    .limit(query.limit + 1);
  return pageOf('disputes', rows, query.limit, (row) => ({ at: row.openedAt, id: row.id }));
}

/**
 * The disputes of the payment that a query reads, newest first. Every column names its table: Drizzle leaves the table out
 * where a query reads only one.
 */
export const disputesOfPayment = sql<DisputeRow[]>`coalesce((
  select json_agg(json_build_object(
    'id', d.id, 'paymentId', d.payment_id, 'orderId', d.order_id, 'gateway', d.gateway, 'amount', d.amount,
    'currency', d.currency, 'reason', d.reason, 'status', d.status, 'refundable', d.refundable,
    'openedAt', rfc3339(d.opened_at), 'closedAt', rfc3339(d.closed_at), 'providerReference', d.provider_reference)
    order by d.opened_at desc, d.id desc)
  from ${disputes} d where d.payment_id = ${payments}.id), '[]')`;
