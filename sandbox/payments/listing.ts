/**
 * GET /payments. Without a window, all authorizations as an array, in order of creation. With any of `from`, `to`, `limit`
 * and `cursor`, pages of those that changed in the window, the oldest change first. A reader that goes on from `until`
 * sees every change: nothing is booked later with an instant before it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { BadRequest, check } from '../http.js';
import type { Authorization } from './books.js';
import { type AuthorizationView, lastChangeAt, viewOf } from './views.js';

const time = z.iso
  .datetime({ offset: true, error: 'a time as in RFC 3339, such as 2026-01-31T12:00:00Z' })
  .transform((text) => Date.parse(text));

const query = z.object({
  reference: z.string({ error: 'one at most' }).optional(),
  from: time.optional(),
  to: time.optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'a whole number from 1 to 200')
    .transform(Number)
    .pipe(z.int().min(1).max(200))
    .optional(),
  cursor: z.string().max(1000).optional(),
});
type Query = z.infer<typeof query>;

/** Where a page ended, and the window's end, which stays the same on all pages. */
const position = z.tuple([z.int(), z.string().max(255), z.int()]);

export interface Page {
  readonly items: readonly AuthorizationView[];
  readonly nextCursor: string | null;
  /** The end of the window, exclusive: `to`, or the present if that is earlier. The next `from` of a reader that follows. */
  readonly until: string;
}

interface Place {
  readonly at: number;
  readonly id: string;
}

/** Instants in ms since 1970. */
export interface Window {
  readonly reference: string | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly limit: number;
  /** The last item of the page before. */
  readonly after: Place | null;
}

/** The reference, and the window if pages are asked for. Throws a 422 that names each wrong parameter. */
export async function readListQuery(input: unknown): Promise<{ reference: string | undefined; window: Window | null }> {
  const asked = check(query, input);
  const { reference, from, to, limit, cursor } = asked;
  const paged = [from, to, limit, cursor].some((parameter) => parameter !== undefined);
  return { reference, window: paged ? await windowOf(asked) : null };
}

async function windowOf({ reference, from = 0, to, limit = 50, cursor }: Query): Promise<Window> {
  if (to !== undefined && to < from) throw new BadRequest(422, 'validation_failed', 'to: before from');
  if (cursor !== undefined) {
    const [at, id, untilMs] = readCursor(cursor);
    return { reference, fromMs: from, untilMs, limit, after: { at, id } };
  }
  const nowMs = await nextMillisecond();
  return { reference, fromMs: from, untilMs: Math.min(to ?? nowMs, nowMs), limit, after: null };
}

/** The window ends in the past, so that it can gain nothing more, but after everything that was answered so far. */
async function nextMillisecond(): Promise<number> {
  const startedMs = Date.now();
  while (Date.now() <= startedMs) await sleep(1);
  return Date.now();
}

function readCursor(cursor: string): z.infer<typeof position> {
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new BadRequest(422, 'validation_failed', 'cursor: not a cursor of this list');
  }
}

/** One page of those of the authorizations that changed in the window. */
export function pageOf(authorizations: readonly Authorization[], window: Window, nowMs: number): Page {
  const { fromMs, untilMs, limit, after } = window;
  const inWindow = authorizations
    .map((authorization) => ({
      authorization,
      at: lastChangeAt(authorization, untilMs - 1),
      id: authorization.authorizationId,
    }))
    .filter((entry) => entry.at > 0 && entry.at >= fromMs && (after === null || compare(entry, after) > 0))
    .sort(compare);
  const entries = inWindow.slice(0, limit);
  const last = entries.at(-1);
  const more = inWindow.length > limit && last;
  return {
    items: entries.map(({ authorization }) => viewOf(authorization, nowMs)),
    nextCursor: more ? Buffer.from(JSON.stringify([last.at, last.id, untilMs])).toString('base64url') : null,
    until: new Date(untilMs).toISOString(),
  };
}

function compare(one: Place, other: Place): number {
  return one.at - other.at || (one.id < other.id ? -1 : Number(one.id > other.id));
}
