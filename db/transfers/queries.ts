/** Transfers as clients see them. Every read is one round trip. */
import { and, desc, eq, lt, or, type SQL } from 'drizzle-orm';
import { presentFailure } from '../../domain/refusals.js';
import type { TransferMode, TransferStatus } from '../../domain/transfers/states.js';
import type { Database } from '../postgres/client.js';
import { type Cursor, type Page, pageOf } from '../postgres/page.js';
import { rfc3339 } from '../postgres/time.js';
import { transfers } from '../schema/index.js';

/** The transfer resource of the contract. */
export interface TransferView {
  readonly id: string;
  readonly sku: string;
  /** What was sent, or is to be. */
  readonly quantity: number;
  readonly from: string;
  readonly to: string;
  readonly mode: TransferMode;
  readonly status: TransferStatus;
  readonly reservationId: string | null;
  /** What arrived; null until that is known. */
  readonly received: number | null;
  /** What was sent and did not arrive; null until that is known. */
  readonly lost: number | null;
  /** Why it was cancelled, or less arrived than was sent. */
  readonly reason: string | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly workflowId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

async function read(db: Database, where: SQL | undefined, limit: number): Promise<TransferView[]> {
  const rows = await db
    .select()
    .from(transfers)
    .where(where)
    .orderBy(desc(transfers.createdAt), desc(transfers.id))
    .limit(limit);
  return rows.map((row) => ({
    id: row.id,
    sku: row.sku,
    quantity: row.quantity,
    from: row.from,
    to: row.to,
    // The table's own checks hold these two to what they may be.
    mode: row.mode as TransferMode,
    status: row.status as TransferStatus,
    reservationId: row.reservationId,
    received: row.received,
    lost: row.received === null ? null : row.quantity - row.received,
    reason: row.reason,
    failure: presentFailure(row),
    workflowId: row.workflowId,
    createdAt: rfc3339(row.createdAt),
    updatedAt: rfc3339(row.updatedAt),
  }));
}

export async function getTransfer(db: Database, id: string): Promise<TransferView | null> {
  const [transfer] = await read(db, eq(transfers.id, id), 1);
  return transfer ?? null;
}

/** Newest first. */
export async function listTransfers(
  db: Database,
  query: { status?: string | undefined; sku?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<TransferView>> {
  const { cursor } = query;
  const found = await read(
    db,
    and(
      query.status === undefined ? undefined : eq(transfers.status, query.status),
      query.sku === undefined ? undefined : eq(transfers.sku, query.sku),
      cursor
        ? or(lt(transfers.createdAt, cursor.at), and(eq(transfers.createdAt, cursor.at), lt(transfers.id, cursor.id)))
        : undefined,
    ),
    query.limit + 1,
  );
  return pageOf(
    found,
    query.limit,
    (transfer) => ({ at: transfer.createdAt, id: transfer.id }),
    (transfer) => transfer,
  );
}
