/** A ledger that takes several chunks to verify, and a lock that holds every chunk up. */
import type postgres from 'postgres';
import { eventually } from './shop.js';

/** More than one chunk reads with the next product (activities/verification.ts), so that a walk stops between two. */
export const rowsPerProduct = 15_000;

/** Adds products that come first in the walk, with long histories that are right. */
export async function longHistories(sql: postgres.Sql, skus: readonly string[]): Promise<void> {
  await sql`insert into products (sku, name, price_amount, price_currency, created_by)
            select sku, 'Long', 1, 'USD', 'test' from unnest(${[...skus]}::text[]) sku`;
  await sql`
    insert into stock_ledger (sku, location, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                              operation_key, actor, at)
    select sku, 'main', 'received', 1, 0, n, 0, sku || n, 'test', now() - interval '1 d' + n * interval '1 ms'
      from unnest(${[...skus]}::text[]) sku, generate_series(1, ${rowsPerProduct}) n`;
  await sql`
    insert into stock_levels (sku, location, on_hand, changed_at)
    select sku, location, max(on_hand_after), max(at) from stock_ledger
     where sku = any (${[...skus]}) group by sku, location`;
}

/** Resolves once nothing reads holds any more; the returned function lets them be read again. */
export async function lockHolds(sql: postgres.Sql): Promise<() => Promise<void>> {
  const session = await sql.reserve();
  await session`begin`;
  await session`lock table reservations in access exclusive mode`;
  return async () => {
    await session`commit`;
    session.release();
  };
}

/** Lets one chunk pass that waits for `letGo`, and holds up the next. Returns what lets that one go. */
export async function passOneChunk(sql: postgres.Sql, letGo: () => Promise<void>): Promise<() => Promise<void>> {
  // This lock waits behind the first chunk, and the second chunk behind this lock.
  const next = lockHolds(sql);
  await waitsForLock(sql, 'lock table reservations');
  await letGo();
  const letNextGo = await next;
  await chunkWaits(sql);
  return letNextGo;
}

export const chunkWaits = (sql: postgres.Sql) => waitsForLock(sql, 'ledger_rows as materialized');

async function waitsForLock(sql: postgres.Sql, what: string): Promise<void> {
  await eventually(`${what} to wait for a lock`, async () => {
    const rows = await sql`select from pg_stat_activity where wait_event_type = 'Lock' and query ilike ${`%${what}%`}`;
    return rows.length > 0;
  });
}
