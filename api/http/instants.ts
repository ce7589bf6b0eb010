/** Moments that a client names, in the one form that Postgres always reads. */
import type { z } from 'zod';

const pattern = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const expected = 'must be a time as in RFC 3339, such as 2026-11-21T05:41:07Z';
const spaced = ' (a "+" in a query is read as a space: write it as %2B)';

/**
 * The moment in UTC, cut to microseconds, or why it is none. Postgres refuses offsets from 16 hours on, and reads a leap
 * second and 24:00 as other moments: the offset is taken off here, and those are refused.
 * @param text RFC 3339, seconds included, with any offset below 24 hours
 */
export function utcInstant(text: string): { readonly instant: string } | { readonly problem: string } {
  const [, day = '', time = '', fraction = '', sign, hours = '0', minutes = '0'] = pattern.exec(text) ?? [];
  const local = Date.parse(`${day}T${time}Z`);
  // JavaScript makes another day of the 30th of February, and of 24:00: then what comes out is not what went in.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${day}T${time}`))
    return { problem: /\d \d{2}:\d{2}$/.test(text) ? expected + spaced : expected };
  if (Number(hours) > 23 || Number(minutes) > 59) return { problem: expected };
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utc = new Date(sign === '-' ? local + offsetMs : local - offsetMs);
  if (utc.getUTCFullYear() < 1 || utc.getUTCFullYear() > 9999) return { problem: 'must be in the years 1 to 9999' };
  return { instant: `${utc.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z` };
}

/** Now, as Postgres's times are written. */
export const now = (): string => new Date().toISOString().replace('Z', '000Z');

/** Zod's transform for a query or body member; what comes out is safe in SQL. */
export function toInstant(text: string, context: z.core.$RefinementCtx): string {
  const read = utcInstant(text);
  if ('instant' in read) return read.instant;
  context.addIssue({ code: 'custom', message: read.problem });
  return '';
}
