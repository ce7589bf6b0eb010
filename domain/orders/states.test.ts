import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSettled, mayBecome, orderStatuses, orderTransitions } from './states.js';

const status = fc.constantFrom(...orderStatuses);

describe('the states of an order', () => {
  test('every path of an order reaches an end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (choices) => {
        // `reserved ⇄ confirming` repeats while payments are refused; the saga bounds it, the table does not.
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

  test('only refunds, and their late failures, leave an end', () => {
    const paid = ['confirmed', 'partially_refunded', 'refunded'];
    fc.assert(
      fc.property(status, status, (from, to) => {
        if (!isSettled(from) || !mayBecome(from, to)) return;
        expect(paid).toContain(from);
        expect(paid).toContain(to);
      }),
    );
  });

  test('an order is confirmed by its payment, or again when a refund fails late', () => {
    expect(orderStatuses.filter((from) => mayBecome(from, 'confirmed'))).toEqual([
      'confirming',
      'partially_refunded',
      'refunded',
    ]);
  });

  test('an order is unsettled until it is paid or ends', () => {
    expect(orderStatuses.filter((one) => !isSettled(one))).toEqual([
      'draft',
      'pending',
      'reserved',
      'awaiting_restock',
      'confirming',
    ]);
  });
});
