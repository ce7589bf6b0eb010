import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxMinorUnits } from './limits.js';
import { isLow, quantityToOrder, type SupplyTerms } from './replenishment.js';

const terms: SupplyTerms = {
  maxStock: 100,
  unitPrice: { amount: 310, currency: 'USD' },
  supplier: { id: 'sup_1', active: true, minOrderQuantity: 10, maxOrderQuantity: 60 },
};
const count = fc.integer({ min: 0, max: 1_000_000_000 });
const supplier = fc
  .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 1_000_000 }))
  .map(([least, more]) => ({ id: 's', active: true, minOrderQuantity: least, maxOrderQuantity: least + more }));

describe('the quantity to order', () => {
  test.each([
    ['fills up to the maximum', 70, 0, 30],
    ['counts goods on order', 40, 25, 35],
    ["is at least the supplier's minimum", 95, 0, 10],
    ["is at most the supplier's maximum", 0, 0, 60],
  ])('%s', (_, onHand, onOrder, quantity) => {
    expect(quantityToOrder('A', { onHand, onOrder }, terms)).toEqual({ kind: 'order', quantity });
  });

  test("is within the supplier's limits, and exceeds the maximum stock only for the supplier's minimum", () => {
    fc.assert(
      fc.property(count, count, fc.integer({ min: 1, max: 2_000_000_000 }), supplier, (onHand, onOrder, max, from) => {
        const free = { amount: 0, currency: 'USD' };
        const of = { unitPrice: free, maxStock: max, supplier: from };
        const planned = quantityToOrder('A', { onHand, onOrder }, of);
        expect(planned.kind).toBe(onHand + onOrder >= max ? 'refused' : 'order');
        if (planned.kind === 'refused') {
          expect(planned.refusal.code).toBe('nothing_to_order');
          return;
        }
        expect(Number.isSafeInteger(planned.quantity)).toBe(true);
        expect(planned.quantity).toBeGreaterThanOrEqual(from.minOrderQuantity);
        expect(planned.quantity).toBeLessThanOrEqual(from.maxOrderQuantity);
        if (planned.quantity > from.minOrderQuantity)
          expect(onHand + onOrder + planned.quantity).toBeLessThanOrEqual(max);
        if (planned.quantity < from.maxOrderQuantity)
          expect(onHand + onOrder + planned.quantity).toBeGreaterThanOrEqual(max);
      }),
    );
  });

  test('is never worth more than the largest amount of money', () => {
    const supplier = { id: 's', active: true, minOrderQuantity: 1, maxOrderQuantity: 1_000_000_000 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: maxMinorUnits }), (amount) => {
        const of = { unitPrice: { amount, currency: 'USD' }, maxStock: 1_000_000_000, supplier };
        const planned = quantityToOrder('A', { onHand: 0, onOrder: 0 }, of);
        if (planned.kind === 'refused') throw new Error(planned.refusal.detail);
        expect(planned.quantity).toBeGreaterThanOrEqual(1);
        expect(planned.quantity * amount).toBeLessThanOrEqual(maxMinorUnits);
        expect((planned.quantity + 1) * amount).toBeGreaterThan(maxMinorUnits);
      }),
    );
  });

  test.each([
    [{ supplier: null }, 'supplier_not_configured', 'the product A has no supplierId'],
    [{ maxStock: null }, 'supplier_not_configured', 'the product A has no maxStock'],
    [{ maxStock: null, unitPrice: null }, 'supplier_not_configured', 'the product A has no maxStock, no supplierPrice'],
    [
      { supplier: { id: 'sup_1', active: false, minOrderQuantity: 1, maxOrderQuantity: 2 } },
      'supplier_inactive',
      'the supplier sup_1 is switched off',
    ],
  ] as const)('%j is refused as %s', (change, code, detail) => {
    const planned = quantityToOrder('A', { onHand: 0, onOrder: 0 }, { ...terms, ...change });
    expect(planned).toMatchObject({ kind: 'refused', refusal: { code, detail } });
  });
});

describe('a level is low', () => {
  test('at the reorder point and below, counting goods on order; never without a reorder point', () => {
    fc.assert(
      fc.property(count, count, count, (onHand, onOrder, reorderPoint) => {
        expect(isLow({ onHand, onOrder }, reorderPoint)).toBe(!(onHand + onOrder > reorderPoint));
        expect(isLow({ onHand, onOrder }, null)).toBe(false);
      }),
    );
    expect(isLow({ onHand: 3, onOrder: 2 }, 5)).toBe(true);
    expect(isLow({ onHand: 3, onOrder: 3 }, 5)).toBe(false);
  });
});
