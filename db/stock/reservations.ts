/** Holds as they stand, and those that are past their time. They are written by the ledger alone. */
import { and, asc, eq, isNull, lte, notInArray, sql } from 'drizzle-orm';
import type { Database, Sql } from '../postgres/client.js';
import { lastingReason } from '../postgres/lasting-errors.js';
import { reservations } from '../schema/index.js';
import type { Ledger } from './ledger.js';

/** A hold as it is stored. `quantity` is what is held, or was when it was decided. */
export type ReservationRow = typeof reservations.$inferSelect;

export async function getReservation(db: Database, id: string): Promise<ReservationRow | null> {
  const [row] = await db.select().from(reservations).where(eq(reservations.id, id));
  return row ?? null;
}

/** Whose a hold is and of what: none of it ever changes. */
export interface HoldOwner extends Pick<ReservationRow, 'id' | 'sku' | 'location' | 'orderId'> {
  readonly transferId: string | null;
}

/** Those of the holds that there are, in no order. */
export async function findHolds(sqlClient: Sql, ids: readonly string[]): Promise<readonly HoldOwner[]> {
  if (ids.length === 0) return [];
  return sqlClient<HoldOwner[]>`
    select r.id, r.sku, r.location, r.order_id as "orderId", t.id as "transferId"
      from reservations r left join transfers t on t.id = r.reference and t.reservation_id = r.id
     where r.id = any(${ids as string[]})`;
}

/**
 * Holds of their own (not an order's: those end with their order) that are past their time and not yet given back, the
 * longest overdue first, at most `limit`.
 */
export async function overdueReservationIds(
  db: Database,
  limit: number,
  passedOver: readonly string[] = [],
): Promise<readonly string[]> {
  const rows = await db
    .select({ id: reservations.id })
    .from(reservations)
    .where(
      and(
        eq(reservations.status, sql`'pending'`),
        isNull(reservations.orderId),
        lte(reservations.expiresAt, sql`now()`),
        passedOver.length === 0 ? undefined : notInArray(reservations.id, [...passedOver]),
      ),
    )
    .orderBy(asc(reservations.expiresAt))
    .limit(limit);
  return rows.map((row) => row.id);
}

/** Overdue holds that are given back in one call of the ledger. */
const expiryBatch = 200;

/** A row that could not be ended, since Postgres refuses it for good. */
export interface StuckRow {
  readonly id: string;
  readonly reason: string;
}
/** Stuck rows after which a run ends: the next one looks again. */
export const maxStuck = 1000;

export interface ExpiryProgress {
  /** Told after each batch how many there were so far. */
  readonly onProgress?: (expired: number) => void;
  /** Told of holds that cannot be given back; the others are all the same. */
  readonly onStuck?: (stuck: readonly StuckRow[]) => Promise<void>;
}

/**
 * Gives back every direct hold that is past its time, in batches. Returns how many; safe to run any number of times at
 * once.
 */
export async function expireOverdue(
  db: Database,
  ledger: Ledger,
  actor: string,
  { onProgress, onStuck }: ExpiryProgress = {},
): Promise<number> {
  const passedOver: string[] = [];
  for (let expired = 0; ; onProgress?.(expired)) {
    const ids = await overdueReservationIds(db, expiryBatch, passedOver);
    if (ids.length === 0 || passedOver.length >= maxStuck) return expired;
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
    passedOver.push(...stuck.map(({ id }) => id));
    const done = results.filter(
      (result) =>
        result.status === 'fulfilled' && result.value.some(({ outcome, replayed }) => outcome === 'done' && !replayed),
    ).length;
    expired += done;
    // Another process was faster with all of them: it will go on with the rest.
    if (done === 0 && stuck.length === 0) return expired;
  }
}
