import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxMinorUnits } from './limits.js';
import { currencies, formatMoney, type MinorUnits, parseMinorUnits, totalOf } from './money.js';

const line = fc.record({
  quantity: fc.integer({ min: 1, max: 1_000_000_000 }),
  unitPrice: fc.record({
    amount: fc.integer({ min: 0, max: maxMinorUnits }).map((amount) => amount as MinorUnits),
    currency: fc.constantFrom(...currencies),
  }),
});

describe('money', () => {
  test('a total is the exact sum or is refused, never rounded or clipped', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 100 }), (lines) => {
        const exact = lines.reduce(
          (sum, { quantity, unitPrice }) => sum + BigInt(quantity) * BigInt(unitPrice.amount),
          0n,
        );
        const result = totalOf(lines);
        const oneCurrency = new Set(lines.map(({ unitPrice }) => unitPrice.currency)).size === 1;
        if (!oneCurrency) expect(result.kind).toBe('mixed_currencies');
        else if (exact > BigInt(maxMinorUnits)) expect(result.kind).toBe('too_large');
        else
          expect(result).toEqual({
            kind: 'total',
            total: { amount: Number(exact), currency: lines[0]?.unitPrice.currency },
          });
      }),
    );
  });

  test('only whole amounts from 0 to the limit are money', () => {
    fc.assert(
      fc.property(fc.double(), (amount) => {
        const fits = Number.isInteger(amount) && amount >= 0 && amount <= maxMinorUnits;
        expect(parseMinorUnits(amount)).toBe(fits ? amount : null);
      }),
    );
    expect(parseMinorUnits(maxMinorUnits + 1)).toBeNull();
  });

  test('the total of no lines is 0', () => {
    expect(totalOf([])).toEqual({ kind: 'total', total: { amount: 0, currency: 'USD' } });
  });

  test('it is formatted with two decimals', () => {
    expect(formatMoney({ amount: 5, currency: 'EUR' })).toBe('0.05 EUR');
  });
});
