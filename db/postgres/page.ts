/** Lists in pages by key: a page starts after the last row of the one before, so rows that come meanwhile shift nothing. */

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

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.at, cursor.id])).toString('base64url');
}

/**
 * Reads a cursor back; null where it is not one of ours. `at` is a point in time that Postgres can read, whatever a
 * client may have made of it.
 */
export function decodeCursor(text: string): Cursor | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed) || parsed.length !== 2) return null;
    const [at, id]: unknown[] = parsed;
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
 * Makes a page out of at most `limit + 1` rows: the one too many only tells that there is a next page.
 * @param cursorOf the sort key of a row
 */
export function pageOf<Row>(rows: readonly Row[], limit: number, cursorOf: (row: Row) => Cursor): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encodeCursor(cursorOf(last)) : null };
}
