/** Verifications of the ledger against levels and open holds, with their progress and findings. */

import { desc, eq } from 'drizzle-orm';
import type { AskedBy } from '../../domain/steps.js';
import type { LedgerDifference } from '../../domain/stock.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { ledgerVerifications } from '../schema/index.js';
import { countLevels, type Position, start } from './verify.js';

/** A stored verification. `checked` and `total` count levels: a product at a location. */
export type VerificationRow = typeof ledgerVerifications.$inferSelect;

/** Differences that are stored; further ones are only counted. */
export const maxDifferences = 200;

/** The progress of a verification. */
export interface Progress {
  readonly checked: number;
  readonly position: Position;
  readonly differences: readonly LedgerDifference[];
  readonly differenceCount: number;
}

/**
 * Claims a new verification, or one to resume: from now on only `runner` may record progress. Null if it has ended.
 * @param createdAt when it was requested, RFC 3339
 */
export async function claimVerification(
  sql: Sql,
  run: { readonly id: string; readonly createdAt: string; readonly runner: string; readonly by?: AskedBy },
): Promise<Progress | null> {
  const { actor = null, requestId = null } = run.by ?? {};
  await sql`
    insert into ledger_verifications (id, status, total, position, created_at)
    values (${run.id}, 'running', ${await countLevels(sql)}, ${JSON.stringify(start)}::text::jsonb, ${run.createdAt}::timestamptz)
        on conflict do nothing
    returning audit(${actor}, 'verification.started', 'verification/' || id, 'done', ${requestId}, null)::text`;
  const [row] = await sql<Progress[]>`
    update ledger_verifications set runner = ${run.runner} where id = ${run.id} and status = 'running'
    returning checked::float8 as checked, position, differences, difference_count::float8 as "differenceCount"`;
  return row ?? null;
}

/** Records progress, or the end. False if another attempt has claimed the verification, or it has ended. */
export async function recordProgress(
  sql: Sql,
  run: { readonly id: string; readonly runner: string },
  progress: Progress,
  completed: boolean,
): Promise<boolean> {
  const { checked, position, differences, differenceCount } = progress;
  const written = await sql`
    update ledger_verifications
       set checked = ${checked}, position = ${JSON.stringify(position)}::text::jsonb,
           differences = ${JSON.stringify(differences)}::text::jsonb, difference_count = ${differenceCount},
           -- Includes levels that were created meanwhile.
           total = greatest(${checked}, case when ${completed} then 0 else total end),
           status = case when ${completed} then 'completed' else status end,
           completed_at = case when ${completed} then clock_timestamp() end
     where id = ${run.id} and runner = ${run.runner} and status = 'running' returning id`;
  return written.length > 0;
}

/** Cancels a verification; an ended one stays unchanged. */
export async function cancelVerification(sql: Sql, id: string): Promise<void> {
  await sql`
    update ledger_verifications set status = 'cancelled', completed_at = clock_timestamp()
     where id = ${id} and status = 'running'`;
}

export async function getVerification(db: Database, id: string): Promise<VerificationRow | null> {
  const [row] = await db.select().from(ledgerVerifications).where(eq(ledgerVerifications.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listVerifications(
  db: Database,
  { limit, cursor }: { limit: number; cursor: Cursor | null },
): Promise<Page<VerificationRow>> {
  const rows = await db
    .select()
    .from(ledgerVerifications)
    .where(behind(ledgerVerifications.createdAt, ledgerVerifications.id, cursor))
    .orderBy(desc(ledgerVerifications.createdAt), desc(ledgerVerifications.id))
    .limit(limit + 1);
  return pageOf('verifications', rows, limit, (row) => ({ at: row.createdAt, id: row.id }));
}
