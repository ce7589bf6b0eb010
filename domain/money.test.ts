import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxMinorUnits } from './limits.js';
import { formatMoney, parseMinorUnits } from './money.js';

describe('money', () => {
  test('only whole amounts from 0 to the limit are money', () => {
    fc.assert(
      fc.property(fc.double(), (amount) => {
        const fits = Number.isInteger(amount) && amount >= 0 && amount <= maxMinorUnits;
        expect(parseMinorUnits(amount)).toBe(fits ? amount : null);
      }),
    );
    expect(parseMinorUnits(maxMinorUnits + 1)).toBeNull();
  });

  test('it is formatted with two decimals', () => {
    expect(formatMoney({ amount: 5, currency: 'EUR' })).toBe('0.05 EUR');
  });
});
