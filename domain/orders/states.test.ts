import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSettled, mayBecome, orderStatuses, orderTransitions } from './states.js';

const status = fc.constantFrom(...orderStatuses);

describe('the states of an order', () => {
  test('every order reaches an end, by whatever ways it goes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (choices) => {
        // `reserved ⇄ confirming` may go round while payments are refused; the saga bounds it, the table does not.
        let state = 'pending' as (typeof orderStatuses)[number];
        let refusals = 0;
        for (const choice of choices) {
          const ways = orderTransitions[state].filter(
            (to) => !(state === 'confirming' && to === 'reserved' && refusals >= 2),
          );
          if (ways.length === 0 || isSettled(state)) return;
          const to = ways[choice % ways.length] ?? state;
          if (state === 'confirming' && to === 'reserved') refusals++;
          expect(mayBecome(state, to)).toBe(true);
          state = to;
        }
        expect(isSettled(state)).toBe(true);
      }),
    );
  });

  test('nothing leads back from an end, but for a refund of what was confirmed', () => {
    fc.assert(
      fc.property(status, status, (from, to) => {
        if (!isSettled(from) || !mayBecome(from, to)) return;
        expect(['confirmed', 'partially_refunded']).toContain(from);
        expect(['partially_refunded', 'refunded']).toContain(to);
      }),
    );
  });

  test('only a confirming order can be confirmed', () => {
    expect(orderStatuses.filter((from) => mayBecome(from, 'confirmed'))).toEqual(['confirming']);
  });

  test('an order that was not paid has an end to come', () => {
    expect(orderStatuses.filter((one) => !isSettled(one))).toEqual([
      'draft',
      'pending',
      'reserved',
      'awaiting_restock',
      'confirming',
    ]);
  });
});
