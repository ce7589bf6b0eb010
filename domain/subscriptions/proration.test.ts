import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbered } from './periods.js';
import { priceOf, prorate } from './proration.js';
import { planIntervals } from './states.js';
import { instantOf, secondsOf } from './subscription.js';

const price = fc.integer({ min: 0, max: 99_999_999 });
/** A whole period within fifty years, and an instant in it. */
const cut = fc
  .record({
    anchor: fc.integer({ min: secondsOf('2020-01-01T00:00:00Z'), max: secondsOf('2070-01-01T00:00:00Z') }),
    interval: fc.constantFrom(...planIntervals),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ anchor, interval, share }) => {
    const whole = numbered({ anchor: instantOf(anchor), anchorDay: null, interval }, 1).period;
    const length = secondsOf(whole.end) - secondsOf(whole.start);
    const at = instantOf(secondsOf(whole.start) + Math.min(length - 1, Math.floor(length * share)));
    return { whole, at, rest: { start: at, end: whole.end } };
  });

describe('a price in proportion to time', () => {
  test('of the whole period is the price', () => {
    fc.assert(
      fc.property(price, cut, (amount, { whole }) => {
        expect(priceOf(amount, whole, whole)).toBe(amount);
      }),
    );
  });

  test('is within half a minor unit of the exact share', () => {
    fc.assert(
      fc.property(price, cut, (amount, { whole, rest }) => {
        const seconds = (from: string, to: string) => BigInt(secondsOf(to) - secondsOf(from));
        const length = seconds(whole.start, whole.end);
        const off =
          2n * (BigInt(priceOf(amount, rest, whole)) * length - BigInt(amount) * seconds(rest.start, rest.end));
        expect(off > -length && off <= length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('used and unused together are the price', () => {
    fc.assert(
      fc.property(price, cut, (amount, { whole, at, rest }) => {
        const used = at === whole.start ? 0 : priceOf(amount, { start: whole.start, end: at }, whole);
        const unused = priceOf(amount, rest, whole);
        // Two exact halves both round up.
        expect([amount, amount + 1]).toContain(used + unused);
        expect(amount - unused).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    [1000, 500],
    [999, 500],
    [1, 1],
    [0, 0],
  ])('of %i for half the period is %i: half up', (amount, half) => {
    const whole = { start: '2027-01-01T00:00:00Z', end: '2027-01-03T00:00:00Z' };
    expect(priceOf(amount, { start: '2027-01-02T00:00:00Z', end: whole.end }, whole)).toBe(half);
  });
});

describe('a change of price', () => {
  test('and back at the same instant nets 0', () => {
    fc.assert(
      fc.property(price, price, cut, (old, now, { whole, rest }) => {
        const there = prorate(old, now, rest, whole);
        const back = prorate(now, old, rest, whole);
        expect(there.net + back.net).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('costs the difference for the rest of the period', () => {
    const whole = { start: '2027-01-01T00:00:00Z', end: '2027-01-31T00:00:00Z' };
    const rest = { start: '2027-01-11T00:00:00Z', end: whole.end };
    expect(prorate(1000, 2500, rest, whole)).toEqual({ credit: 667, charge: 1667, net: 1000 });
  });
});
