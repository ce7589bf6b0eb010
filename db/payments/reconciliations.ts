/** Reconciliations of our payments with processors' books, with their progress and findings. */
import { desc, eq, sql as expression } from 'drizzle-orm';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { ReconciliationProgress } from '../../domain/payments/reconciliation.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { discrepancies, reconciliations } from '../schema/index.js';

export interface ReconciliationRun {
  readonly id: string;
  /** RFC 3339; `to` is excluded. */
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  /** Of the request that asked for it; null or absent: none did. */
  readonly requestId?: string | null;
  /** RFC 3339: when it was requested. */
  readonly createdAt: string;
}

/** An attempt at a reconciliation. */
export interface Runner {
  readonly id: string;
  readonly runner: string;
}

/** Of one reconciliation; further ones are only counted. */
export const maxDiscrepancies = 1000;
/** Of one reconciliation, those that ask for nothing. */
export const maxNoted = 100;
/** Of each reconciliation in a list of them. */
const shownInList = 20;

/** Begins a reconciliation, or claims one to resume. Null if it has ended. */
export async function claimReconciliation(
  sql: Sql,
  run: ReconciliationRun,
  runner: string,
): Promise<ReconciliationProgress | null> {
  const [row] = await sql<{ state: { progress: ReconciliationProgress } | null }[]>`
    select reconciliation_begin(${JSON.stringify({ ...run, runner })}::text::jsonb) as state`;
  return row?.state?.progress ?? null;
}

/** Records progress. False if another attempt has claimed the reconciliation, or it has ended. */
export async function saveProgress(sql: Sql, { id, runner }: Runner, progress: ReconciliationProgress) {
  const written = await sql`
    update reconciliations set progress = ${JSON.stringify(progress)}::text::jsonb
     where id = ${id} and runner = ${runner} and status = 'running' returning id`;
  return written.length > 0;
}

/** Ends a reconciliation that has compared everything, and deletes what it had listed. */
export async function completeReconciliation(sql: Sql, { id, runner }: Runner): Promise<void> {
  await sql`
    with ended as (
      update reconciliations set status = 'completed', completed_at = clock_timestamp(), progress = '{}'
       where id = ${id} and runner = ${runner} and status = 'running' returning id)
    delete from reconciliation_entries e using ended where e.reconciliation_id = ended.id`;
}

/** Ends a reconciliation that cannot be completed; an ended one stays unchanged. */
export async function failReconciliation(sql: Sql, id: string, failure: string): Promise<void> {
  await sql`
    with ended as (
      update reconciliations
         set status = 'failed', failure = ${failure}, completed_at = clock_timestamp(), progress = '{}', runner = null
       where id = ${id} and status = 'running' returning id)
    delete from reconciliation_entries e using ended where e.reconciliation_id = ended.id`;
}

/** The processors that have payments or refunds of this window. */
export async function gatewaysBetween(sql: Sql, from: string, to: string): Promise<readonly GatewayName[]> {
  const rows = await sql<{ gateway: GatewayName }[]>`
    select distinct gateway from payments where created_at >= ${from}::timestamptz and created_at < ${to}::timestamptz
    union
    select gateway from refunds
     where gateway is not null and created_at >= ${from}::timestamptz and created_at < ${to}::timestamptz`;
  return rows.map(({ gateway }) => gateway);
}

const columns = {
  id: reconciliations.id,
  status: reconciliations.status,
  from: reconciliations.from,
  to: reconciliations.to,
  compared: reconciliations.compared,
  found: reconciliations.found,
  failure: reconciliations.failure,
  createdAt: reconciliations.createdAt,
  completedAt: reconciliations.completedAt,
};

type StoredDiscrepancy = Pick<
  typeof discrepancies.$inferSelect,
  'kind' | 'gateway' | 'paymentId' | 'providerReference' | 'ours' | 'theirs' | 'action'
>;

/** A stored reconciliation with the first of its discrepancies. */
export type ReconciliationRow = Pick<typeof reconciliations.$inferSelect, keyof typeof columns> & {
  readonly discrepancies: readonly StoredDiscrepancy[];
};

/** Every column names its table: Drizzle leaves the table out where a query reads only one. */
const firstDiscrepancies = (limit: number) => expression<StoredDiscrepancy[]>`coalesce((
  select json_agg(json_build_object('kind', d.kind, 'gateway', d.gateway, 'paymentId', d.payment_id,
    'providerReference', d.provider_reference, 'ours', d.ours, 'theirs', d.theirs, 'action', d.action) order by d.key)
  from (select * from ${discrepancies} x where x.reconciliation_id = ${reconciliations}.id order by x.key limit ${limit}) d), '[]')`;

export async function getReconciliation(db: Database, id: string): Promise<ReconciliationRow | null> {
  const [row] = await db
    .select({ ...columns, discrepancies: firstDiscrepancies(maxDiscrepancies + maxNoted) })
    .from(reconciliations)
    .where(eq(reconciliations.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listReconciliations(
  db: Database,
  { limit, cursor }: { limit: number; cursor: Cursor | null },
): Promise<Page<ReconciliationRow>> {
  const rows = await db
    .select({ ...columns, discrepancies: firstDiscrepancies(shownInList) })
    .from(reconciliations)
    .where(behind(reconciliations.createdAt, reconciliations.id, cursor))
    .orderBy(desc(reconciliations.createdAt), desc(reconciliations.id))
    .limit(limit + 1);
  return pageOf('reconciliations', rows, limit, (row) => ({ at: row.createdAt, id: row.id }));
}
