import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canEndAs, isTransferEnded, type TransferStatus, transferStatuses, transferTransitions } from './states.js';

const status = fc.constantFrom(...transferStatuses);

describe('the states of a transfer', () => {
  test('every path of a transfer reaches an end and never enters a state twice', () => {
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

  test('an ended transfer never changes', () => {
    fc.assert(
      fc.property(status, status, (from, to) => {
        if (isTransferEnded(from)) expect(canEndAs(from, to)).toBe(from === to);
      }),
    );
  });

  test('a state that is reachable in two steps is reachable', () => {
    fc.assert(
      fc.property(status, status, status, (from, over, to) => {
        if (canEndAs(from, over) && canEndAs(over, to)) expect(canEndAs(from, to)).toBe(true);
      }),
    );
  });

  test('only held or shipped goods can arrive', () => {
    expect(transferStatuses.filter((from) => transferTransitions[from].includes('completed'))).toEqual([
      'reserved',
      'in_transit',
    ]);
  });

  test('a transfer in review ends by giving the goods back', () => {
    expect(canEndAs('manual_review', 'completed')).toBe(false);
    expect(transferTransitions.manual_review).toEqual(['cancelled', 'failed']);
  });
});
