import { expect, test } from 'vitest';
import { presentReason } from './orders/timeline.js';
import { presentFailure, presentRefusal, refusalOf } from './refusals.js';

const lacking = { sku: 'TEA', location: 'main', available: 1, requested: 2 };

test.each([
  [refusalOf('not_found', { orderId: 'ord_1' }), 'there is no order ord_1', undefined],
  [refusalOf('not_found', { transferId: 'trf_1' }), 'there is no transfer trf_1', undefined],
  [refusalOf('unknown_sku', { sku: 'TEA' }), 'there is no product TEA', { sku: 'TEA' }],
  [refusalOf('unknown_location', { location: 'west' }), 'there is no location west', { location: 'west' }],
  [refusalOf('product_not_active', { sku: 'TEA', status: 'draft' }), 'product TEA is draft', { sku: 'TEA' }],
  [refusalOf('same_location', { location: 'west' }), 'source and destination are the same', { location: 'west' }],
  [refusalOf('insufficient_stock', lacking), 'insufficient stock: available=1, requested=2', lacking],
  [
    refusalOf('invalid_order_state', { from: 'failed', to: 'confirmed' }),
    'an order that is failed cannot become confirmed',
    { from: 'failed', to: 'confirmed' },
  ],
  [
    refusalOf('invalid_state', { from: 'failed', to: 'completed' }),
    'a transfer that is failed cannot become completed',
    { from: 'failed', to: 'completed' },
  ],
  [
    refusalOf('invalid_state', { ledger: { code: 'reservation_not_found' } }),
    'the stock ledger refused: {"code":"reservation_not_found"}',
    undefined,
  ],
  [refusalOf('validation_failed', { rule: 'one_currency' }), 'an order has one currency', undefined],
  [refusalOf('validation_failed', { rule: 'max_lines', max: 100 }), 'an order has at most 100 lines', undefined],
  [
    refusalOf('validation_failed', { rule: 'max_total', max: 99_999_999 }),
    'the total is over 99999999 minor units',
    undefined,
  ],
  [refusalOf('validation_failed', { rule: 'max_received', max: 4 }), 'only 4 were sent', undefined],
])('%o', (refused, detail, extensions) => {
  expect([refused.detail, refused.extensions]).toEqual([detail, extensions]);
});

test('a refusal with facts gets its sentence; a sentence stored by an earlier release is kept', () => {
  const facts = { detail: 'unknown_sku', extensions: { sku: 'TEA' }, facts: { sku: 'TEA' } };
  expect(presentRefusal({ code: 'unknown_sku', ...facts })).toEqual(refusalOf('unknown_sku', { sku: 'TEA' }));
  const stored = { code: 'unknown_sku', detail: 'no product TEA', extensions: { sku: 'TEA' } } as const;
  expect(presentRefusal(stored)).toEqual(stored);
  // A code that only a later release can word.
  expect(presentRefusal({ code: 'rate_limited', ...facts })).toEqual({
    code: 'rate_limited',
    ...facts,
    facts: undefined,
  });
});

test('a failure with facts gets its sentence; a stored detail is kept', () => {
  const row = { failureCode: 'insufficient_stock', failureDetail: 'insufficient_stock', failureFacts: lacking };
  expect(presentFailure(row)).toEqual({
    code: 'insufficient_stock',
    detail: 'insufficient stock: available=1, requested=2',
  });
  expect(presentFailure({ ...row, failureDetail: 'nothing left', failureFacts: null })?.detail).toBe('nothing left');
  expect(presentFailure({ ...row, failureCode: null })).toBeNull();
});

test.each([
  ['line_added', { sku: 'TEA', quantity: 2 }, '2 of TEA added'],
  [
    'suppliers_asked',
    {
      shortages: [
        { quantity: 2, sku: 'TEA', supplierId: 'sup_1' },
        { quantity: 1, sku: 'CUP', supplierId: 'sup_2' },
      ],
    },
    'asking for 2 of TEA from supplier sup_1, 1 of CUP from supplier sup_2',
  ],
  ['supplier_accepted', { reference: 'R-1' }, 'accepted by the supplier: R-1'],
  ['time_ran_out', {}, 'its time ran out'],
  ['insufficient_stock', lacking, 'insufficient stock: available=1, requested=2'],
  ['cancelled by phone', null, 'cancelled by phone'],
  ['of_a_later_release', {}, 'of_a_later_release'],
])('the reason of an entry: %s', (reason, facts, sentence) => {
  expect(presentReason(reason, facts)).toBe(sentence);
});
