/** Reads holds, and expires overdue ones. Only the ledger writes holds. */
import { and, asc, eq, isNull, lte, notInArray, sql } from 'drizzle-orm';
import type { Database, Sql } from '../postgres/client.js';
import { lastingReason } from '../postgres/lasting-errors.js';
import { reservations } from '../schema/index.js';
import type { Ledger } from './ledger.js';

/** A stored hold. `quantity` is what it holds, or held until it was decided. */
export type ReservationRow = typeof reservations.$inferSelect;

export async function getReservation(db: Database, id: string): Promise<ReservationRow | null> {
  const [row] = await db.select().from(reservations).where(eq(reservations.id, id));
  return row ?? null;
}

/** The owner and the goods of a hold. None of these ever change. */
export interface HoldOwner extends Pick<ReservationRow, 'id' | 'sku' | 'location' | 'orderId'> {
  readonly transferId: string | null;
}

/** The holds with these ids, in no particular order; unknown ids are left out. */
export async function findHolds(sqlClient: Sql, ids: readonly string[]): Promise<readonly HoldOwner[]> {
  if (ids.length === 0) return [];
  return sqlClient<HoldOwner[]>`
    select r.id, r.sku, r.location, r.order_id as "orderId", t.id as "transferId"
      from reservations r left join transfers t on t.id = r.reference and t.reservation_id = r.id
     where r.id = any(${ids as string[]})`;
}

/**
 * Overdue direct holds: at most `limit`, the longest overdue first, without those in `skipped`. Holds of an order end
 * with their order.
 */
export async function overdueReservationIds(
  db: Database,
  limit: number,
  skipped: readonly string[] = [],
): Promise<readonly string[]> {
  const rows = await db
    .select({ id: reservations.id })
    .from(reservations)
    .where(
      and(
        eq(reservations.status, sql`'pending'`),
        isNull(reservations.orderId),
        lte(reservations.expiresAt, sql`now()`),
        skipped.length === 0 ? undefined : notInArray(reservations.id, [...skipped]),
      ),
    )
    .orderBy(asc(reservations.expiresAt))
    .limit(limit);
  return rows.map((row) => row.id);
}

/** Holds that one round expires. */
const expiryBatch = 200;

/** A row that cannot be expired, because Postgres rejects the step every time. */
export interface StuckRow {
  readonly id: string;
  readonly reason: string;
}
/** A run ends after so many stuck rows; the next run tries again. */
export const maxStuck = 1000;

export interface ExpiryProgress {
  /** Called after each batch with the number expired so far. */
  readonly onProgress?: (expired: number) => void;
  /** Called with the holds of a batch that cannot be expired. The run continues with the others. */
  readonly onStuck?: (stuck: readonly StuckRow[]) => Promise<void>;
}

/**
 * Expires every overdue direct hold, in batches. Returns how many. Any number of concurrent runs are safe.
 */
export async function expireOverdue(
  db: Database,
  ledger: Ledger,
  actor: string,
  { onProgress, onStuck }: ExpiryProgress = {},
): Promise<number> {
  const skipped: string[] = [];
  for (let expired = 0; ; onProgress?.(expired)) {
    const ids = await overdueReservationIds(db, expiryBatch, skipped);
    if (ids.length === 0 || skipped.length >= maxStuck) return expired;
    const results = await Promise.allSettled(
      ids.map((id) =>
        ledger.apply([
          {
            key: `reservation/${id}/expire`,
            actor,
            reason: 'its time ran out',
            commands: [{ kind: 'expire', reservationId: id }],
          },
        ]),
      ),
    );
    const stuck = ids.flatMap((id, index) => {
      const result = results[index];
      return result?.status === 'rejected' ? [{ id, reason: lastingReason(result.reason) }] : [];
    });
    if (stuck.length > 0) await onStuck?.(stuck);
    skipped.push(...stuck.map(({ id }) => id));
    const done = results.filter(
      (result) =>
        result.status === 'fulfilled' && result.value.some(({ outcome, replayed }) => outcome === 'done' && !replayed),
    ).length;
    expired += done;
    // Another process expired all of them first, and will expire the rest.
    if (done === 0 && stuck.length === 0) return expired;
  }
}
