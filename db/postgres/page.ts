/** Lists in pages by key: a page starts after the last row of the one before, so rows that come meanwhile shift nothing. */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

/** The lists that have pages. A cursor names its list, so that no other list accepts it. */
export type ListName =
  | 'holds'
  | 'inventory'
  | 'keys'
  | 'locations'
  | 'movements'
  | 'orders'
  | 'payments'
  | 'products'
  | 'purchase_orders'
  | 'replenishments'
  | 'reviews'
  | 'suppliers'
  | 'timeline'
  | 'transfers'
  | 'verifications';

/** Where a page ended: the sort key of its last row, and its id to break ties. */
export interface Cursor {
  readonly at: string;
  readonly id: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

export function encodeCursor(list: ListName, { at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([list, at, id])).toString('base64url');
}

/**
 * Reads a cursor of a list back; null where it is not one of ours, or another list's. `at` is a point in time that Postgres
 * can read, whatever a client may have made of it. Cursors of release 0.1 name no list: any list accepts them, so that a
 * client can read on across an upgrade.
 */
export function decodeCursor(list: ListName, text: string): Cursor | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return null;
    const fields: unknown[] = parsed;
    if (fields.length !== 2 && !(fields.length === 3 && fields[0] === list)) return null;
    const [at, id] = fields.slice(-2);
    if (typeof at !== 'string' || typeof id !== 'string') return null;
    const legible = /^[1-9]\d{3}-\d{2}-\d{2}[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|\+00(:00)?)$/.test(at);
    if (!legible || !isDay(at.slice(0, 10))) return null;
    return id.length <= 128 && !id.includes('\0') ? { at, id } : null;
  } catch {
    return null;
  }
}

/** Whether the calendar has this day: Postgres refuses the 30th of February, JavaScript makes a March day of it. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/**
 * The condition that a row lies behind a cursor in a list that shows the newest first; undefined on the first page. It is a
 * comparison of rows, so that an index on the same two columns starts reading at the cursor, however deep the page is.
 */
export function behind(at: SQLWrapper, id: SQLWrapper, cursor: Cursor | null): SQL | undefined {
  return cursor ? sql`(${at}, ${id}) < (${cursor.at}::timestamptz, ${cursor.id})` : undefined;
}

/**
 * Makes a page out of at most `limit + 1` rows: the one too many only tells that there is a next page.
 * @param cursorOf the sort key of a row
 */
export function pageOf<Row>(
  list: ListName,
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Cursor,
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encodeCursor(list, cursorOf(last)) : null };
}
