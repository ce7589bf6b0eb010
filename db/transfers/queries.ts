/** Reads transfers. Every read is one round trip. */
import { and, desc, eq } from 'drizzle-orm';
import type { TransferStatus } from '../../domain/transfers/states.js';
import type { Database } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { transfers } from '../schema/index.js';

/** A stored transfer. */
export type TransferRow = typeof transfers.$inferSelect;

export async function getTransfer(db: Database, id: string): Promise<TransferRow | null> {
  const [row] = await db.select().from(transfers).where(eq(transfers.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listTransfers(
  db: Database,
  query: { status?: TransferStatus | undefined; sku?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<TransferRow>> {
  const rows = await db
    .select()
    .from(transfers)
    .where(
      and(
        query.status === undefined ? undefined : eq(transfers.status, query.status),
        query.sku === undefined ? undefined : eq(transfers.sku, query.sku),
        behind(transfers.createdAt, transfers.id, query.cursor),
      ),
    )
    .orderBy(desc(transfers.createdAt), desc(transfers.id))
    .limit(query.limit + 1);
  return pageOf('transfers', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}
