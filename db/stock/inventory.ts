/** The stock of products now and at any time in the past, and the movements behind it. Every call is one round trip. */
import type { Movement } from '../../domain/stock.js';
import type { Sql } from '../postgres/client.js';
import { type Cursor, type Page, pageOf } from '../postgres/page.js';
import type { reservations, stockLevels } from '../schema/index.js';

/** Holds listed with a product; the list of its reservations has the others. */
const holdsShown = 20;

type Level = Pick<typeof stockLevels.$inferSelect, 'location' | 'onHand' | 'reserved'>;
type OpenHold = Pick<typeof reservations.$inferSelect, 'id' | 'quantity' | 'location' | 'expiresAt' | 'orderId'>;
/** Asks for a page of one product, at one location or at all of them (null). */
export interface PageOfProduct {
  readonly sku: string;
  readonly location: string | null;
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** A ledger row without its hold. */
export type ShownMovement = Omit<Movement, 'reservationId'>;

interface StockRow {
  readonly sku: string;
  readonly createdAt: string;
  /** Null: no location has stocked the product yet. */
  readonly levels: readonly (Level & { readonly virtual: boolean })[] | null;
  /** Absent for a time in the past: no index finds the holds that were open then. */
  readonly holdCount?: number;
  readonly holds?: readonly OpenHold[] | null;
}

/** The stock of a product, summed over its levels. Goods in transit are not on hand, and at none of the locations. */
export type ProductStock = ReturnType<typeof stockOf>;

function stockOf({ sku, levels, holdCount, holds }: StockRow) {
  const here = (levels ?? []).filter((level) => !level.virtual);
  const sum = (of: readonly number[]) => of.reduce((total, each) => total + each, 0);
  const onHand = sum(here.map((level) => level.onHand));
  const reserved = sum(here.map((level) => level.reserved));
  return {
    sku,
    onHand,
    reserved,
    available: onHand - reserved,
    inTransit: sum((levels ?? []).filter((level) => level.virtual).map((level) => level.onHand)),
    locations: here.map((level) => ({
      location: level.location,
      onHand: level.onHand,
      reserved: level.reserved,
      available: level.onHand - level.reserved,
    })),
    ...(holdCount !== undefined && { reservationCount: holdCount, reservations: holds ?? [] }),
  };
}

/** Open holds `r` of the level `s`. */
const openHolds = (sql: Sql) => sql`
  reservations r where r.sku = s.sku and r.location = s.location and r.status = 'pending'
                   and (r.expires_at is null or r.expires_at > now())`;

/** The levels `s` of the product `p` at one location, or at all. */
const levelsOf = (sql: Sql, location: string | null) => sql`
  s.sku = p.sku and (${location}::text is null or s.location = ${location})`;

/**
 * The newest open holds of the product `p`, at most `limit`. An index finds the newest ones of each level, so the
 * cost does not grow with their number.
 */
const newestHolds = (sql: Sql, location: string | null, limit: number, before = sql`true`) => sql`
  select newest.* from stock_levels s
   cross join lateral (select r.id, r.quantity, r.location, r.expires_at, r.order_id, r.created_at
                         from ${openHolds(sql)} and ${before}
                        order by r.created_at desc, r.id desc limit ${limit}) newest
   where ${levelsOf(sql, location)}
   order by newest.created_at desc, newest.id desc limit ${limit}`;

const holdAsJson = (sql: Sql) => sql`
  jsonb_build_object('id', h.id, 'quantity', h.quantity, 'location', h.location, 'expiresAt', rfc3339(h.expires_at),
                     'orderId', h.order_id)`;

/**
 * Holds of the level `s` that have expired and still wait for the sweep: `open_holds` counts them, and a reader does not. The
 * order makes Postgres use reservations_due_of_level, so no others are read.
 */
const overdueHolds = (sql: Sql) => sql`
  select count(*) from (
    select from reservations r
     where r.sku = s.sku and r.location = s.location and r.status = 'pending'
       and coalesce(r.expires_at, 'infinity') <= now() and coalesce(r.expires_at, 'infinity') <> 'infinity'
     order by coalesce(r.expires_at, 'infinity') offset 0) overdue`;

/** Levels and open holds of the product `p`, as JSON. */
const stockColumns = (sql: Sql, location: string | null) => sql`
  p.sku, rfc3339(p.created_at) as "createdAt",
  (select jsonb_agg(jsonb_build_object('location', s.location, 'virtual', w.virtual, 'onHand', s.on_hand,
                                       'reserved', s.reserved) order by s.location)
     from stock_levels s join locations w on w.code = s.location
    where s.sku = p.sku and (w.virtual or ${location}::text is null or s.location = ${location})) as levels,
  (select coalesce(sum(s.open_holds - (${overdueHolds(sql)})), 0)::int
     from stock_levels s
    where ${levelsOf(sql, location)}) as "holdCount",
  (select jsonb_agg(${holdAsJson(sql)} order by h.created_at desc, h.id desc)
     from (${newestHolds(sql, location, holdsShown)}) h) as holds`;

/**
 * The stock of a product now, at one location or at all of them; null if there is no such product. Goods in transit are
 * included either way.
 */
export async function inventoryNow(sql: Sql, sku: string, location: string | null): Promise<ProductStock | null> {
  const [row] = await sql<StockRow[]>`
    select ${stockColumns(sql, location)} from products p where p.sku = ${sku}`;
  return row ? stockOf(row) : null;
}

/**
 * The stock of a product at a time in the past, from the last ledger row of each location up to then. An index finds that
 * row without reading those in between. The figures include the holds of that time, but the holds are not listed.
 * @param at RFC 3339
 */
export async function inventoryAt(
  sql: Sql,
  sku: string,
  location: string | null,
  at: string,
): Promise<ProductStock | null> {
  const [row] = await sql<StockRow[]>`
    select p.sku, rfc3339(p.created_at) as "createdAt",
           (select jsonb_agg(jsonb_build_object('location', s.location, 'virtual', w.virtual, 'onHand', m.on_hand_after,
                                                'reserved', m.reserved_after) order by s.location)
              from stock_levels s
              join locations w on w.code = s.location
             cross join lateral (select on_hand_after, reserved_after from stock_ledger g
                                  where g.sku = s.sku and g.location = s.location and g.at <= ${at}::timestamptz
                                  order by g.at desc limit 1) m
             where s.sku = p.sku and (w.virtual or ${location}::text is null or s.location = ${location})) as levels
      from products p where p.sku = ${sku}`;
  return row ? stockOf(row) : null;
}

/** The stock of every product, newest product first; `limit` counts products. */
export async function listInventory(
  sql: Sql,
  { limit, cursor }: { limit: number; cursor: Cursor | null },
): Promise<Page<ProductStock>> {
  const rows = await sql<StockRow[]>`
    select ${stockColumns(sql, null)} from products p
     where ${cursor ? sql`(p.created_at, p.sku) < (${cursor.at}::timestamptz, ${cursor.id})` : sql`true`}
     order by p.created_at desc, p.sku desc limit ${limit + 1}`;
  const { items, nextCursor } = pageOf('inventory', rows, limit, (row) => ({ at: row.createdAt, id: row.sku }));
  return { items: items.map(stockOf), nextCursor };
}

/**
 * The open holds of a product, newest first, at one location or at all; null if there is no such product. A page
 * costs the same, however many holds there are.
 */
export async function listOpenHolds(sql: Sql, query: PageOfProduct): Promise<Page<OpenHold> | null> {
  const { sku, location, limit, cursor } = query;
  const before = cursor
    ? sql`r.created_at <= ${cursor.at}::timestamptz and (r.created_at, r.id) < (${cursor.at}::timestamptz, ${cursor.id})`
    : sql`true`;
  const [row] = await sql<{ holds: (OpenHold & { createdAt: string })[] | null }[]>`
    select (select jsonb_agg(${holdAsJson(sql)} || jsonb_build_object('createdAt', rfc3339(h.created_at))
                             order by h.created_at desc, h.id desc)
              from (${newestHolds(sql, location, limit + 1, before)}) h) as holds
      from products p where p.sku = ${sku}`;
  if (!row) return null;
  const { items, nextCursor } = pageOf('holds', row.holds ?? [], limit, (hold) => ({
    at: hold.createdAt,
    id: hold.id,
  }));
  return { items: items.map(({ createdAt: _, ...hold }) => hold), nextCursor };
}

/**
 * The ledger rows of a product, newest first, at one location or at all; null if there is no such product. An index finds
 * the newest rows of each location, so a page costs the same, however long the history is.
 */
export async function listMovements(sql: Sql, query: PageOfProduct): Promise<Page<ShownMovement> | null> {
  const { sku, location, limit, cursor } = query;
  const before = cursor
    ? sql`g.at <= ${cursor.at}::timestamptz and (g.at, 'mov_' || g.id) < (${cursor.at}::timestamptz, ${cursor.id})`
    : sql`true`;
  const [row] = await sql<{ movements: ShownMovement[] | null }[]>`
    select (select jsonb_agg(jsonb_build_object('id', m.movement, 'sku', m.sku, 'location', m.location, 'kind', m.kind,
                       'onHandDelta', m.on_hand_delta, 'reservedDelta', m.reserved_delta, 'onHandAfter', m.on_hand_after,
                       'reservedAfter', m.reserved_after, 'reference', m.reference, 'reason', m.reason, 'actor', m.actor,
                       'at', rfc3339(m.at)) order by m.at desc, m.movement desc)
              from (select newest.* from stock_levels s
                     cross join lateral (select g.*, 'mov_' || g.id as movement from stock_ledger g
                                          where g.sku = s.sku and g.location = s.location and ${before}
                                          order by g.at desc limit ${limit + 1}) newest
                     where s.sku = p.sku and (${location}::text is null or s.location = ${location})
                     order by newest.at desc, newest.movement desc limit ${limit + 1}) m) as movements
      from products p where p.sku = ${sku}`;
  if (!row) return null;
  return pageOf('movements', row.movements ?? [], limit, ({ at, id }) => ({ at, id }));
}
