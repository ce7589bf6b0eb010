/**
 * Compares the whole ledger with the levels, and both with the open holds. It walks the ledger in chunks, level by
 * level in the order of its index, so that no statement takes long, however long the ledger is. Each chunk is one
 * statement and thus one snapshot: a level is compared with its rows at the same moment, whatever changes meanwhile.
 * Writers are not delayed.
 */
import type { LedgerDifference } from '../../domain/stock.js';
import type { Sql } from '../postgres/client.js';

/** The position of a walk. It can be stored as JSON. */
export interface Position {
  /** The last finished level; empty before the first. */
  readonly done: LevelKey;
  /** The progress within a level that is too long for one chunk; null between levels. */
  readonly within: LevelSoFar | null;
}

interface LevelKey {
  readonly sku: string;
  readonly location: string;
}

interface LevelSoFar extends LevelKey {
  /** The time of the last row read, RFC 3339; null before the first. */
  readonly at: string | null;
  /** The balances that this row states. */
  readonly onHandAfter: number;
  readonly reservedAfter: number;
  /** Sums of the changes so far. */
  readonly onHand: number;
  readonly reserved: number;
  /** The quantity still held after the rows so far, by hold. */
  readonly holds: readonly { readonly id: string; readonly quantity: number }[];
}

export const start: Position = { done: { sku: '', location: '' }, within: null };

export interface Chunk {
  /** Levels that this chunk finished. */
  readonly checked: number;
  readonly differences: readonly LedgerDifference[];
  /** Null: the walk is over. */
  readonly next: Position | null;
}

/** The number of levels now. */
export async function countLevels(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::float8 as count from stock_levels`;
  return row?.count ?? 0;
}

interface ChunkRow {
  readonly checked: number;
  readonly lastDone: LevelKey | null;
  readonly bound: LevelKey | null;
  readonly soFar: LevelSoFar | null;
  readonly differences: readonly LedgerDifference[];
}

/**
 * Walks one chunk.
 * @param rows the most ledger rows that a chunk reads; the same limit applies to levels and to open holds
 */
export async function verifyChunk(sql: Sql, { done, within }: Position, rows: number): Promise<Chunk> {
  const source = within === null ? levelsAfter(sql, done, rows) : restOf(sql, within, rows);
  const [row] = await sql<ChunkRow[]>`
    with ${source},
    ${comparison(sql, within)}
    select (select count(*) from done)::float8 as checked,
           (select jsonb_build_object('sku', sku, 'location', location)
              from done order by sku desc, location desc limit 1) as "lastDone",
           (select jsonb_build_object('sku', sku, 'location', location) from bound) as bound,
           (select jsonb_build_object('sku', sku, 'location', location, 'at', rfc3339(l.at), 'onHandAfter', l.on_hand_after,
                     'reservedAfter', l.reserved_after, 'onHand', f.on_hand, 'reserved', f.reserved,
                     'holds', coalesce((select jsonb_agg(jsonb_build_object('id', id, 'quantity', quantity))
                                          from ledger_holds), '[]'))
              from bound join folded f using (sku, location) cross join last_row l) as "soFar",
           coalesce((select jsonb_agg(to_jsonb(d) order by sku, location, what) from differences d), '[]') as differences`;
  if (!row) throw new Error('Postgres returned no result for a chunk of the ledger');
  return { checked: row.checked, differences: row.differences, next: nextPosition(done, within, row) };
}

function nextPosition(done: LevelKey, within: LevelSoFar | null, row: ChunkRow): Position | null {
  if (within !== null) {
    const { sku, location } = within;
    return row.bound ? { done, within: row.soFar } : { done: { sku, location }, within: null };
  }
  if (row.bound === null) return null;
  if (row.lastDone !== null) return { done: row.lastDone, within: null };
  const nothingRead = { at: null, onHandAfter: 0, reservedAfter: 0, onHand: 0, reserved: 0, holds: [] };
  return { done, within: { ...row.bound, ...nothingRead } };
}

/**
 * The next levels from each of the three tables, and `bound`: the first level that may be cut off by the limit. That
 * level and those after it are left for the next chunk.
 */
const levelsAfter = (sql: Sql, { sku, location }: LevelKey, rows: number) => sql`
  ledger_rows as materialized (
    select sku, location, id, at, on_hand_delta, reserved_delta, on_hand_after, reserved_after, reservation_id
      from stock_ledger where (sku, location) > (${sku}, ${location}) order by sku, location, at desc limit ${rows}),
  levels as materialized (
    select sku, location, on_hand, reserved, open_holds, changed_at from stock_levels
     where (sku, location) > (${sku}, ${location}) order by sku, location limit ${rows}),
  holds as materialized (
    select sku, location, id, quantity from reservations
     where status = 'pending' and (sku, location) > (${sku}, ${location}) order by sku, location limit ${rows}),
  bound as (
    select sku, location from (
      (select sku, location from ledger_rows where (select count(*) from ledger_rows) >= ${rows}
        order by sku desc, location desc limit 1)
      union all
      (select sku, location from levels where (select count(*) from levels) >= ${rows}
        order by sku desc, location desc limit 1)
      union all
      (select sku, location from holds where (select count(*) from holds) >= ${rows}
        order by sku desc, location desc limit 1)) ends
     order by sku, location limit 1),
  done as (
    select k.sku, k.location
      from (select sku, location from ledger_rows union select sku, location from levels
            union select sku, location from holds) k
      left join bound b on true
     where b.sku is null or (k.sku, k.location) < (b.sku, b.location)),
  rows_read as (select r.* from ledger_rows r join done using (sku, location))`;

/** More rows of one level. The level and its open holds are read together with the last row. */
const restOf = (sql: Sql, { sku, location, at }: LevelSoFar, rows: number) => sql`
  ledger_rows as materialized (
    select sku, location, id, at, on_hand_delta, reserved_delta, on_hand_after, reserved_after, reservation_id
      from stock_ledger
     where sku = ${sku} and location = ${location} and at > coalesce(${at}::timestamptz, '-infinity')
     order by at limit ${rows}),
  bound as materialized (
    select sku, location from ledger_rows where (select count(*) from ledger_rows) >= ${rows} limit 1),
  done as (select ${sku}::text as sku, ${location}::text as location where not exists (select from bound)),
  levels as (
    select sku, location, on_hand, reserved, open_holds, changed_at from stock_levels
     where sku = ${sku} and location = ${location} and not exists (select from bound)),
  holds as (
    select sku, location, id, quantity from reservations
     where status = 'pending' and sku = ${sku} and location = ${location} and not exists (select from bound)),
  rows_read as (select * from ledger_rows)`;

/** Adds up the rows, from the position within a level, and compares the finished levels. */
const comparison = (sql: Sql, within: LevelSoFar | null) => sql`
  before as (
    select * from jsonb_to_recordset(${JSON.stringify(within === null ? [] : [within])}::text::jsonb)
      as b(sku text, location text, at timestamptz, "onHandAfter" bigint, "reservedAfter" bigint, "onHand" bigint,
           reserved bigint, holds jsonb)),
  chain as (
    select r.*, r.on_hand_delta + coalesce(lag(r.on_hand_after) over history, b."onHandAfter", 0) as on_hand_due,
           r.reserved_delta + coalesce(lag(r.reserved_after) over history, b."reservedAfter", 0) as reserved_due
      from rows_read r left join before b on true
    window history as (partition by r.sku, r.location order by r.at)),
  last_row as (select at, on_hand_after, reserved_after from rows_read order by at desc limit 1),
  folded as (
    select sku, location, sum(on_hand) as on_hand, sum(reserved) as reserved, max(at) as changed_at
      from (select sku, location, on_hand_delta as on_hand, reserved_delta as reserved, at from rows_read
            union all
            select sku, location, "onHand", reserved, at from before) changes
     group by sku, location),
  ledger_holds as (
    select sku, location, id, sum(quantity) as quantity
      from (select sku, location, reservation_id as id, reserved_delta as quantity from rows_read
             where reservation_id is not null
            union all
            select b.sku, b.location, h.id, h.quantity
              from before b cross join jsonb_to_recordset(b.holds) as h(id text, quantity bigint)) changes
     group by sku, location, id having sum(quantity) <> 0),
  held as (select sku, location, sum(quantity) as quantity, count(*) as count from holds group by sku, location),
  differences(sku, location, what, expected, found) as (
    select sku, location, 'onHandAfter mov_' || id, on_hand_due, on_hand_after from chain where on_hand_after <> on_hand_due
    union all
    select sku, location, 'reservedAfter mov_' || id, reserved_due, reserved_after
      from chain where reserved_after <> reserved_due
    union all
    select sku, location, 'onHand', coalesce(f.on_hand, 0), coalesce(l.on_hand, 0)
      from done left join folded f using (sku, location) left join levels l using (sku, location)
     where coalesce(f.on_hand, 0) <> coalesce(l.on_hand, 0)
    union all
    select sku, location, 'reserved', coalesce(f.reserved, 0), coalesce(l.reserved, 0)
      from done left join folded f using (sku, location) left join levels l using (sku, location)
     where coalesce(f.reserved, 0) <> coalesce(l.reserved, 0)
    union all
    select sku, location, 'changedAt', extract(epoch from f.changed_at) * 1e6, extract(epoch from l.changed_at) * 1e6
      from done join folded f using (sku, location) join levels l using (sku, location)
     where f.changed_at <> l.changed_at
    union all
    select sku, location, 'openReservations', coalesce(f.reserved, 0), coalesce(h.quantity, 0)
      from done left join folded f using (sku, location) left join held h using (sku, location)
     where coalesce(f.reserved, 0) <> coalesce(h.quantity, 0)
    union all
    select sku, location, 'openReservationCount', coalesce(h.count, 0), coalesce(l.open_holds, 0)
      from done left join held h using (sku, location) left join levels l using (sku, location)
     where coalesce(h.count, 0) <> coalesce(l.open_holds, 0)
    union all
    select sku, location, 'hold ' || id, coalesce(r.quantity, 0), coalesce(o.quantity, 0)
      from (select r.* from ledger_holds r join done using (sku, location)) r
      full join (select o.* from holds o join done using (sku, location)) o using (sku, location, id)
     where coalesce(r.quantity, 0) <> coalesce(o.quantity, 0))`;
