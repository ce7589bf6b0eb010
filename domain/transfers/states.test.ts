import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canEndAs, isTransferEnded, type TransferStatus, transferStatuses, transferTransitions } from './states.js';

const status = fc.constantFrom(...transferStatuses);

describe('the states of a transfer', () => {
  test('every transfer reaches an end, by whatever ways it goes, and never comes by a state twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: transferStatuses.length, maxLength: 20 }), (choices) => {
        const path: TransferStatus[] = ['pending'];
        for (const choice of choices) {
          const ways = transferTransitions[path.at(-1) ?? 'pending'];
          const next = ways[choice % Math.max(1, ways.length)];
          if (next === undefined) break;
          path.push(next);
        }
        expect(new Set(path).size).toBe(path.length);
        expect(isTransferEnded(path.at(-1) ?? 'pending')).toBe(true);
      }),
    );
  });

  test('nothing leads on from an end', () => {
    fc.assert(
      fc.property(status, status, (from, to) => {
        if (isTransferEnded(from)) expect(canEndAs(from, to)).toBe(from === to);
      }),
    );
  });

  test('what can be reached in two steps can be reached', () => {
    fc.assert(
      fc.property(status, status, status, (from, over, to) => {
        if (canEndAs(from, over) && canEndAs(over, to)) expect(canEndAs(from, to)).toBe(true);
      }),
    );
  });

  test('goods arrive only from where they were held or on their way', () => {
    expect(transferStatuses.filter((from) => transferTransitions[from].includes('completed'))).toEqual([
      'reserved',
      'in_transit',
    ]);
  });

  test('what a person must look at ends by giving the goods back', () => {
    expect(canEndAs('manual_review', 'completed')).toBe(false);
    expect(transferTransitions.manual_review).toEqual(['cancelled', 'failed']);
  });
});
