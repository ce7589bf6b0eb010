import { describe, expect, test } from 'vitest';
import { ConcurrencyLimit, type Sample } from './concurrency-limit.js';

function recorded(limit: ConcurrencyLimit, count: number, sample: Partial<Sample>): ConcurrencyLimit {
  for (let n = 0; n < count; n++)
    limit.record({ ms: 100, undecided: false, inUse: limit.value, awaited: true, ...sample });
  return limit;
}

const alone = { inUse: 1, awaited: false };

describe('the limit', () => {
  test('stays the same while places are free', () => {
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

  test('stays the same while sagas are neither quick nor slow', () => {
    expect(recorded(new ConcurrencyLimit(null), 1000, { ms: 600 }).value).toBe(16);
  });

  test('grows behind a bank that is always slow: the latency of an idle system is no sign of load', () => {
    const limit = recorded(new ConcurrencyLimit(null), 100, { ms: 1200, ...alone });
    expect(limit.maxHoldMs).toBeGreaterThan(4000);
    expect(recorded(limit, 200, { ms: 1300 }).value).toBeGreaterThan(16);
    expect(recorded(limit, 10_000, { ms: 5000 }).value).toBe(8);
  });

  test('does not learn the idle latency from sagas that run side by side', () => {
    const limit = recorded(new ConcurrencyLimit(null), 1000, { ms: 1200, inUse: 12, awaited: false });
    expect(recorded(limit, 200, { ms: 1300 }).value).toBeLessThan(16);
  });

  test('does not learn the idle latency from hanging sagas', () => {
    const limit = recorded(new ConcurrencyLimit(null), 100, { ms: 2000, undecided: true, ...alone });
    expect(recorded(limit, 200, { ms: 1300 }).value).toBeLessThan(16);
  });

  test('does not adapt if an operator has set it', () => {
    const limit = recorded(new ConcurrencyLimit(4), 1000, {});
    expect(recorded(limit, 1000, { ms: 5000 }).value).toBe(4);
  });
});
