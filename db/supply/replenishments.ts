/** Replenishments: at most one runs for a SKU at a location. */
import { and, desc, eq, type SQL } from 'drizzle-orm';
import type { ReplenishmentFailure, ReplenishmentStatus } from '../../domain/replenishment.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { replenishmentRequests, replenishments } from '../schema/index.js';
import { purchaseOrderIdOf } from './purchase-orders.js';

/** A stored replenishment. */
export type ReplenishmentRow = typeof replenishments.$inferSelect;

/** Lowers the planned quantity to what the supplier has. Call it before the order is placed. */
export async function reduceQuantity(sqlClient: Sql, id: string, quantity: number): Promise<void> {
  await sqlClient`
    update replenishments set quantity = ${quantity}, updated_at = clock_timestamp()
     where id = ${id} and status = 'running' and purchase_order_id is null and quantity > ${quantity}`;
}

/**
 * Fails a running replenishment, and ends its purchase order, if any, as `orderStatus`, in one statement. Returns whether
 * this call did it; an ended replenishment stays unchanged.
 */
export async function failReplenishment(
  sqlClient: Sql,
  id: string,
  failure: ReplenishmentFailure,
  orderStatus: 'cancelled' | 'failed',
): Promise<boolean> {
  const [ended] = await sqlClient`
    with closed as (
      update purchase_orders set status = ${orderStatus}, updated_at = clock_timestamp()
       where id = ${purchaseOrderIdOf(id)} and status in ('ordered', 'shipped'))
    update replenishments
       set status = 'failed', failure_code = ${failure.code}, failure_detail = ${failure.detail},
           updated_at = clock_timestamp()
     where id = ${id} and status = 'running' returning id`;
  return ended !== undefined;
}

export interface FailureReport {
  readonly reviewId: string;
  readonly replenishmentId: string;
  readonly sku: string;
  readonly location: string;
  /** `replenishment/<sku>/<location>` */
  readonly workflowId: string;
  readonly attempts: number;
  /** The kind of failure, in words. */
  readonly detail: string;
  /** The supplier's error. Only the review shows it, not the mail or the replenishment. */
  readonly lastError?: string;
}

/**
 * Opens a review and notifies the managers that nothing could be ordered, in one statement. There is at most one open
 * review for a SKU at a location, and one notice for each replenishment.
 */
export async function reportFailure(sqlClient: Sql, report: FailureReport): Promise<void> {
  const { reviewId, replenishmentId, sku, location, workflowId, attempts, detail, lastError = detail } = report;
  const payload = JSON.stringify({ template: 'replenishment_failed', sku, location, replenishmentId, detail });
  await sqlClient`
    with written as (
      insert into outbox (topic, dedup_key, payload)
      values ('notice', ${`replenishment_failed/${replenishmentId}`}, ${payload}::text::jsonb)
          on conflict do nothing returning id),
    review_opened as (
      insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
      select ${reviewId}, 'replenishment_failed', ${workflowId}::text, ${payload}::text::jsonb - 'template', ${attempts}, ${lastError}::text
       where not exists (select from manual_reviews
                          where kind = 'replenishment_failed' and subject = ${workflowId} and status = 'open')
          on conflict do nothing)
    select pg_notify('outbox', 'notice') from written`;
}

async function first(db: Database, where: SQL | undefined): Promise<ReplenishmentRow | null> {
  const [row] = await db.select().from(replenishments).where(where);
  return row ?? null;
}

export async function getReplenishment(db: Database, id: string): Promise<ReplenishmentRow | null> {
  return first(db, eq(replenishments.id, id));
}

/** The running replenishment of a SKU at a location; null if there is none. */
export async function getRunning(db: Database, sku: string, location: string): Promise<ReplenishmentRow | null> {
  const { status, sku: skuColumn, location: locationColumn } = replenishments;
  return first(db, and(eq(skuColumn, sku), eq(locationColumn, location), eq(status, 'running')));
}

/** A request that was answered before anything was planned. */
export type KeptRequest = typeof replenishmentRequests.$inferSelect;

/** Stores the request, once. Call it when its workflow exists. */
export async function keepRequest(db: Database, request: Omit<KeptRequest, 'createdAt'>): Promise<KeptRequest> {
  await db.insert(replenishmentRequests).values(request).onConflictDoNothing();
  const kept = await getRequest(db, request.id);
  if (!kept) throw new Error(`the request ${request.id} was not stored`);
  return kept;
}

export async function getRequest(db: Database, id: string): Promise<KeptRequest | null> {
  const [row] = await db.select().from(replenishmentRequests).where(eq(replenishmentRequests.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listReplenishments(
  db: Database,
  query: { status?: ReplenishmentStatus | undefined; sku?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<ReplenishmentRow>> {
  const rows = await db
    .select()
    .from(replenishments)
    .where(
      and(
        query.status === undefined ? undefined : eq(replenishments.status, query.status),
        query.sku === undefined ? undefined : eq(replenishments.sku, query.sku),
        behind(replenishments.createdAt, replenishments.id, query.cursor),
      ),
    )
    .orderBy(desc(replenishments.createdAt), desc(replenishments.id))
    .limit(query.limit + 1);
  return pageOf('replenishments', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}
