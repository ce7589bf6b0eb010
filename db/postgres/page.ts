/** Keyset pagination: a page starts after the last row of the previous one, so new rows shift nothing. */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

/** The paginated lists. A cursor names its list, so that no other list accepts it. */
export type ListName =
  | 'billing_records'
  | 'audit'
  | 'disputes'
  | 'holds'
  | 'inventory'
  | 'keys'
  | 'locations'
  | 'movements'
  | 'orders'
  | 'payments'
  | 'products'
  | 'refunds'
  | 'purchase_orders'
  | 'reconciliations'
  | 'replenishments'
  | 'reviews'
  | 'subscriptions'
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
 * Decodes a cursor; null if it is invalid or belongs to another list. `at` is always a time that Postgres can read,
 * even if a client has tampered with the cursor. Cursors of release 0.1 name no list: every list accepts them, so that
 * a client can keep reading across an upgrade.
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

/** Whether the day exists: Postgres rejects 30 February, and JavaScript turns it into a day in March. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/**
 * The condition that a row comes after the cursor in a list with the newest first; undefined on the first page. It
 * compares rows, so an index on the two columns starts reading at the cursor, however deep the page is.
 */
export function behind(at: SQLWrapper, id: SQLWrapper, cursor: Cursor | null): SQL | undefined {
  return cursor ? sql`(${at}, ${id}) < (${cursor.at}::timestamptz, ${cursor.id})` : undefined;
}

/**
 * Makes a page of at most `limit + 1` rows: the extra row only shows that there is a next page.
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
