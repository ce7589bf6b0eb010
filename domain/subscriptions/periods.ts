/**
 * The periods of a subscription. Every boundary is computed from the anchor, never from the boundary before: 31 January,
 * 28 February, 31 March. All in UTC, whole seconds; the process's time zone plays no part.
 */
import { DateTime } from 'luxon';
import type { Period, PlanInterval } from './states.js';
import { instantOf, secondsOf } from './subscription.js';

/** What fixes every boundary. `anchorDay`: the day of the month where the client named one. */
export interface Schedule {
  readonly anchor: string;
  readonly anchorDay: number | null;
  readonly interval: PlanInterval;
}

const daySeconds = 86_400;

/** The boundary `n` intervals after the anchor; `n` may be below 0. */
export function boundary({ anchor, anchorDay, interval }: Schedule, n: number): string {
  if (interval === 'day') return instantOf(secondsOf(anchor) + n * daySeconds);
  if (interval === 'week') return instantOf(secondsOf(anchor) + n * 7 * daySeconds);
  const at = utc(anchor);
  const month = at.set({ day: 1 }).plus({ months: interval === 'year' ? 12 * n : n });
  return onDay(month, anchorDay ?? at.day);
}

/** The whole period that ends at boundary `n`. */
export function wholePeriod(schedule: Schedule, n: number): Period {
  return { start: boundary(schedule, n - 1), end: boundary(schedule, n) };
}

/** The first instant at or after `start` that falls on the day of the month, at the start's time of day. */
export function anchorFrom(start: string, anchorDay: number | null): string {
  if (anchorDay === null) return start;
  const first = utc(start).set({ day: 1 });
  const inMonth = onDay(first, anchorDay);
  return secondsOf(inMonth) >= secondsOf(start) ? inMonth : onDay(first.plus({ months: 1 }), anchorDay);
}

/** A period, the number of the boundary that ends it, and the whole period of which it may be a stub. */
export interface Numbered {
  readonly period: Period;
  readonly number: number;
  readonly whole: Period;
}

/** The period that begins with the subscription: a whole one, or a stub up to the anchor. */
export function firstPeriod(schedule: Schedule, start: string): Numbered {
  const { anchor } = schedule;
  if (secondsOf(anchor) <= secondsOf(start)) return numbered(schedule, 1);
  return { period: { start, end: anchor }, number: 0, whole: wholePeriod(schedule, 0) };
}

/** The whole period number `n`. */
export function numbered(schedule: Schedule, n: number): Numbered {
  const period = wholePeriod(schedule, n);
  return { period, number: n, whole: period };
}

function utc(instant: string): DateTime {
  return DateTime.fromSeconds(secondsOf(instant), { zone: 'utc' });
}

function onDay(month: DateTime, day: number): string {
  return instantOf(month.set({ day: Math.min(day, month.daysInMonth ?? day) }).toSeconds());
}
