import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxMinorUnits } from '../limits.js';
import { faultIn, type OrderMoney, paidForCharge, paidForLine, shareOfUnits, totalsOf } from './money.js';

const line = fc
  .record({ quantity: fc.integer({ min: 1, max: 50 }), unitPrice: fc.integer({ min: 0, max: 9_999 }) })
  .chain(({ quantity, unitPrice }) =>
    fc.integer({ min: 0, max: quantity * unitPrice }).chain((discount) =>
      fc.record({
        quantity: fc.constant(quantity),
        unitPrice: fc.constant(unitPrice),
        discount: fc.constant(discount),
        tax: fc.integer({ min: 0, max: quantity * unitPrice - discount }),
      }),
    ),
  );
const charge = fc
  .integer({ min: 0, max: 50_000 })
  .chain((amount) => fc.record({ amount: fc.constant(amount), tax: fc.integer({ min: 0, max: amount }) }));
const order: fc.Arbitrary<OrderMoney> = fc.record({
  lines: fc.array(line, { maxLength: 20 }),
  charges: fc.array(charge, { maxLength: 20 }),
  taxesIncluded: fc.boolean(),
});

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

describe('the money of an order', () => {
  test('adds up to what its lines and charges cost', () => {
    fc.assert(
      fc.property(order, (money) => {
        const { subtotal, discountTotal, taxTotal, chargeTotal, total } = totalsOf(money);
        const paid = [
          ...money.lines.map((each) => paidForLine(each, money.taxesIncluded)),
          ...money.charges.map((each) => paidForCharge(each, money.taxesIncluded)),
        ];
        expect(sum(paid)).toBe(total);
        expect(subtotal - discountTotal + chargeTotal + (money.taxesIncluded ? 0 : taxTotal)).toBe(total);
        expect(faultIn(money)).toBeNull();
        expect(total).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('shows taxes that are included, and adds those that are not', () => {
    const lines = [{ quantity: 2, unitPrice: 1_000, discount: 200, tax: 150 }];
    const charges = [{ amount: 500, tax: 40 }];
    const shown = { subtotal: 2_000, discountTotal: 200, taxTotal: 190, chargeTotal: 500 };
    expect(totalsOf({ lines, charges, taxesIncluded: false })).toEqual({ ...shown, total: 2_490 });
    expect(totalsOf({ lines, charges, taxesIncluded: true })).toEqual({ ...shown, total: 2_300 });
  });

  test.each<[string, Partial<OrderMoney>, object]>([
    [
      'a discount above its line',
      { lines: [{ quantity: 2, unitPrice: 100, discount: 201, tax: 0 }] },
      { kind: 'discount_too_large', line: 0, max: 200 },
    ],
    [
      'an included tax above its line',
      { lines: [{ quantity: 1, unitPrice: 100, discount: 40, tax: 61 }], taxesIncluded: true },
      { kind: 'tax_too_large', line: 0, max: 60 },
    ],
    [
      'an included tax above its charge',
      { charges: [{ amount: 10, tax: 11 }], taxesIncluded: true },
      { kind: 'charge_tax_too_large', charge: 0, max: 10 },
    ],
    [
      'a total over the limit',
      { charges: [{ amount: maxMinorUnits, tax: 1 }] },
      { kind: 'total_too_large', max: maxMinorUnits },
    ],
  ])('cannot have %s', (_what, money, fault) => {
    expect(faultIn({ lines: [], charges: [], taxesIncluded: false, ...money })).toEqual(fault);
  });

  test('may have an added tax above its line', () => {
    const lines = [{ quantity: 1, unitPrice: 100, discount: 100, tax: 5 }];
    expect(faultIn({ lines, charges: [], taxesIncluded: false })).toBeNull();
  });
});

describe('the share of a unit', () => {
  test('is rounded by largest remainder', () => {
    expect([0, 1, 2].map((refunded) => shareOfUnits(1_000, 3, refunded, 1))).toEqual([334, 333, 333]);
  });

  test('gives back exactly what was paid, in whatever steps the units are refunded', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxMinorUnits }), steps, (paid, units) => {
        const quantity = sum(units);
        let refunded = 0;
        const shares = units.map((count) => {
          const share = shareOfUnits(paid, quantity, refunded, count);
          refunded += count;
          return share;
        });
        expect(sum(shares)).toBe(paid);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
