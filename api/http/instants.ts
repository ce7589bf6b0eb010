/** Parses clients' timestamps into the one form that Postgres always reads. */
import type { z } from 'zod';

const pattern = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const expected = 'must be an RFC 3339 time, such as 2026-11-21T05:41:07Z';
const spaced = ' (in a query, "+" means a space: write it as %2B)';

/**
 * The instant in UTC, truncated to microseconds, or why the text is invalid. Postgres refuses offsets of 16 hours or more,
 * and reads leap seconds and 24:00 as other instants. So this applies the offset, and refuses those times.
 * @param text RFC 3339, seconds included, with any offset below 24 hours
 */
export function utcInstant(text: string): { readonly instant: string } | { readonly problem: string } {
  const [, day = '', time = '', fraction = '', sign, hours = '0', minutes = '0'] = pattern.exec(text) ?? [];
  const local = Date.parse(`${day}T${time}Z`);
  // JavaScript turns 30 February and 24:00 into another day, so the output then differs from the input.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${day}T${time}`))
    return { problem: /\d \d{2}:\d{2}$/.test(text) ? expected + spaced : expected };
  if (Number(hours) > 23 || Number(minutes) > 59) return { problem: expected };
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utc = new Date(sign === '-' ? local + offsetMs : local - offsetMs);
  if (utc.getUTCFullYear() < 1 || utc.getUTCFullYear() > 9999) return { problem: 'must be within the years 1 to 9999' };
  return { instant: `${utc.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z` };
}

/** The current time, in the form of Postgres's timestamps. */
export const now = (): string => new Date().toISOString().replace('Z', '000Z');

/** The whole second of an instant, in the same form: what comes after the second is cut off. */
export const wholeSecond = (instant: string): string => `${instant.slice(0, 19)}.000000Z`;

/** A Zod transform for a query or body member; its result is valid in SQL. */
export function toInstant(text: string, context: z.core.$RefinementCtx): string {
  const read = utcInstant(text);
  if ('instant' in read) return read.instant;
  context.addIssue({ code: 'custom', message: read.problem });
  return '';
}
