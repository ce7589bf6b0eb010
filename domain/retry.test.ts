import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fault, faults, maxAttempts, nextWaitMs, type RetryClass } from './retry.js';

function schedule(retryClass: RetryClass, fault: Fault): number[] {
  const waits: number[] = [];
  for (let attempt = 1; ; attempt++) {
    const wait = nextWaitMs(retryClass, fault, attempt, 1);
    if (wait === null) return waits;
    waits.push(wait / 1000);
  }
}

describe('waits between attempts', () => {
  test.each([
    ['authorize', [5, 10]],
    ['capture', [60, 60]],
    ['fraud', [30]],
    ['backupCard', [10, 20]],
    ['replenishmentSupplier', [300, 600]],
  ] as const)('%s is retried after %j seconds', (retryClass, waits) => {
    expect(schedule(retryClass, 'server_error')).toEqual(waits);
    expect(schedule(retryClass, 'unreachable')).toEqual(waits);
  });

  test.each(['authorize', 'capture', 'fraud', 'backupCard'] as const)(
    'an unanswered call of class %s has 5 attempts, 2, 4, 8 and 16 s apart',
    (retryClass) => expect(schedule(retryClass, 'no_answer')).toEqual([2, 4, 8, 16]),
  );

  test('a supplier that does not answer has the same retries as one that fails', () => {
    expect(schedule('replenishmentSupplier', 'no_answer')).toEqual([300, 600]);
  });

  test('no schedule has more attempts than an activity may make', () => {
    for (const retryClass of ['authorize', 'capture', 'fraud', 'backupCard', 'replenishmentSupplier'] as const)
      for (const fault of faults) expect(schedule(retryClass, fault).length + 1).toBeLessThanOrEqual(maxAttempts);
  });

  test('the scale changes the waits, not the number of attempts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...faults),
        fc.integer({ min: 1, max: 10 }),
        fc.double({ min: 0.0001, max: 10, noNaN: true }),
        (fault, attempt, scale) => {
          const plain = nextWaitMs('authorize', fault, attempt, 1);
          const scaled = nextWaitMs('authorize', fault, attempt, scale);
          expect(scaled === null).toBe(plain === null);
          if (plain !== null && scaled !== null) expect(scaled).toBe(Math.max(1, Math.round(plain * scale)));
        },
      ),
    );
  });
});
