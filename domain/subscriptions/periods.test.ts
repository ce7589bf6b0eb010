import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anchorFrom, boundary, firstPeriod, numbered, type Schedule } from './periods.js';
import { planIntervals } from './states.js';
import { instantOf, secondsOf } from './subscription.js';

const start2020 = secondsOf('2020-01-01T00:00:00Z');
const start2040 = secondsOf('2040-01-01T00:00:00Z');
const instant = fc.integer({ min: start2020, max: start2040 }).map(instantOf);
const interval = fc.constantFrom(...planIntervals);
const anchorDay = fc.option(fc.integer({ min: 1, max: 31 }));
/** Periods in fifty years. */
const fiftyYears = { day: 18_263, week: 2609, month: 600, year: 50 } as const;
const days = (from: string, to: string) => (secondsOf(to) - secondsOf(from)) / 86_400;

const schedules = fc.record({ start: instant, anchorDay, interval }).map(({ start, ...rest }) => {
  const ofMonth = rest.interval === 'month' || rest.interval === 'year';
  const day = ofMonth ? rest.anchorDay : null;
  return { start, schedule: { anchor: anchorFrom(start, day), anchorDay: day, interval: rest.interval } };
});

describe('periods', () => {
  test('tile fifty years without gap or overlap, for every interval, anchor and day of the month', () => {
    fc.assert(
      fc.property(schedules, fc.nat(), ({ start, schedule }, where) => {
        const first = firstPeriod(schedule, start);
        expect(first.period.start).toBe(start);
        let last = first;
        const skipped = schedule.interval === 'day' ? where % 18_000 : 0;
        if (skipped > 0) last = numbered(schedule, first.number + skipped);
        const count = Math.min(700, fiftyYears[schedule.interval]);
        for (let n = 1; n <= count; n++) {
          const next = numbered(schedule, last.number + 1);
          expect(next.period.start).toBe(last.period.end);
          expect(secondsOf(next.period.end)).toBeGreaterThan(secondsOf(next.period.start));
          last = next;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('keep their day and time, or the last day of a shorter month', () => {
    fc.assert(
      fc.property(schedules, fc.nat(600), ({ schedule }, n) => {
        const { anchor, interval: every } = schedule;
        const at = boundary(schedule, n);
        expect(at.slice(10)).toBe(anchor.slice(10));
        if (every === 'day' || every === 'week') {
          expect(days(anchor, at)).toBe(every === 'day' ? n : 7 * n);
          return;
        }
        const day = schedule.anchorDay ?? Number(anchor.slice(8, 10));
        const [year, month] = [Number(at.slice(0, 4)), Number(at.slice(5, 7))];
        const inMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
        expect(Number(at.slice(8, 10))).toBe(Math.min(day, inMonth));
        const months = year * 12 + month - (Number(anchor.slice(0, 4)) * 12 + Number(anchor.slice(5, 7)));
        expect(months).toBe(every === 'year' ? 12 * n : n);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, Schedule['interval'], string[]]>([
    ['2027-01-31T10:00:00Z', 'month', ['2027-02-28T10:00:00Z', '2027-03-31T10:00:00Z', '2027-04-30T10:00:00Z']],
    ['2024-02-29T00:00:00Z', 'year', ['2025-02-28T00:00:00Z', '2026-02-28T00:00:00Z', '2027-02-28T00:00:00Z']],
    ['2026-03-01T02:00:00Z', 'month', ['2026-04-01T02:00:00Z', '2026-05-01T02:00:00Z', '2026-06-01T02:00:00Z']],
    ['2026-03-28T02:30:00Z', 'day', ['2026-03-29T02:30:00Z', '2026-03-30T02:30:00Z', '2026-03-31T02:30:00Z']],
  ])('from %s every %s follow the calendar', (anchor, every, ends) => {
    const schedule = { anchor, anchorDay: null, interval: every };
    expect([1, 2, 3].map((n) => boundary(schedule, n))).toEqual(ends);
  });

  test('with a day of the month begin with a stub up to it, of the whole period that ends there', () => {
    const anchor = anchorFrom('2027-02-10T08:00:00Z', 31);
    expect(anchor).toBe('2027-02-28T08:00:00Z');
    expect(firstPeriod({ anchor, anchorDay: 31, interval: 'month' }, '2027-02-10T08:00:00Z')).toEqual({
      period: { start: '2027-02-10T08:00:00Z', end: '2027-02-28T08:00:00Z' },
      number: 0,
      whole: { start: '2027-01-31T08:00:00Z', end: '2027-02-28T08:00:00Z' },
    });
    expect(boundary({ anchor, anchorDay: 31, interval: 'month' }, 1)).toBe('2027-03-31T08:00:00Z');
  });

  test('that begin on the day of the month have no stub', () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: 1, max: 31 }), (start, day) => {
        const anchor = anchorFrom(start, day);
        expect(secondsOf(anchor)).toBeGreaterThanOrEqual(secondsOf(start));
        expect(days(start, anchor)).toBeLessThan(31);
        expect(anchorFrom(anchor, day)).toBe(anchor);
      }),
    );
  });

  test('are the same whatever time zone the process is in', async () => {
    const program = fileURLToPath(new URL('fifty-years.fixture.ts', import.meta.url));
    const runIn = async (zone: string) => {
      const env = { ...process.env, TZ: zone };
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
        ...{ env, maxBuffer: 64 * 1024 * 1024 },
      });
      return stdout;
    };
    const here = await runIn('UTC');
    expect(here.split('\n').length).toBeGreaterThan(30_000);
    for (const zone of ['America/Los_Angeles', 'Europe/Berlin', 'Pacific/Apia', 'Australia/Lord_Howe'])
      expect((await runIn(zone)) === here, zone).toBe(true);
  });
});
