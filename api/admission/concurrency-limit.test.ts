import { describe, expect, test } from 'vitest';
import { ConcurrencyLimit, type Sample } from './concurrency-limit.js';

function recorded(limit: ConcurrencyLimit, count: number, sample: Partial<Sample>): ConcurrencyLimit {
  for (let n = 0; n < count; n++)
    limit.record({ ms: 100, undecided: false, inUse: limit.value, awaited: true, ...sample });
  return limit;
}

const alone = { inUse: 1, awaited: false };

describe('the limit', () => {
  test('stays where the places are not all used', () => {
    expect(recorded(new ConcurrencyLimit(null), 1000, { inUse: 10, awaited: false }).value).toBe(16);
  });

  test('grows while sagas stay quick with every place taken, up to a bound', () => {
    const limit = recorded(new ConcurrencyLimit(null), 100, {});
    expect(limit.value).toBeGreaterThan(16);
    expect(recorded(limit, 100_000, {}).value).toBe(256);
  });

  test('shrinks when sagas become slow, down to a bound', () => {
    const limit = recorded(new ConcurrencyLimit(null), 100, { ms: 1200 });
    expect(limit.value).toBeLessThan(16);
    expect(recorded(limit, 10_000, { ms: 1200 }).value).toBe(8);
  });

  test('stays where sagas are neither quick nor slow', () => {
    expect(recorded(new ConcurrencyLimit(null), 1000, { ms: 600 }).value).toBe(16);
  });

  test('grows behind a bank that is always slow: what an idle system takes is no sign of load', () => {
    const limit = recorded(new ConcurrencyLimit(null), 100, { ms: 1200, ...alone });
    expect(limit.maxHoldMs).toBeGreaterThan(4000);
    expect(recorded(limit, 200, { ms: 1300 }).value).toBeGreaterThan(16);
    expect(recorded(limit, 10_000, { ms: 5000 }).value).toBe(8);
  });

  test('does not learn from sagas that run side by side what an idle system takes', () => {
    const limit = recorded(new ConcurrencyLimit(null), 1000, { ms: 1200, inUse: 12, awaited: false });
    expect(recorded(limit, 200, { ms: 1300 }).value).toBeLessThan(16);
  });

  test('takes no hanging saga for the measure of an idle system', () => {
    const limit = recorded(new ConcurrencyLimit(null), 100, { ms: 2000, undecided: true, ...alone });
    expect(recorded(limit, 200, { ms: 1300 }).value).toBeLessThan(16);
  });

  test('that an operator has set does not adapt', () => {
    const limit = recorded(new ConcurrencyLimit(4), 1000, {});
    expect(recorded(limit, 1000, { ms: 5000 }).value).toBe(4);
  });
});
