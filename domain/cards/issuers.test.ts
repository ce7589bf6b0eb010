import creditCardType from 'credit-card-type';
import { describe, expect, test } from 'vitest';
import { withLuhnDigit } from '../../test/card-samples.js';
import { isCardNumber } from './issuers.js';

/** The lengths that the contract lists for each scheme. */
const contractLengths: Readonly<Record<string, readonly number[]>> = {
  visa: [16, 19],
  mastercard: [16],
  'american-express': [15],
  'diners-club': [14],
  discover: [16, 17, 18, 19],
  jcb: [16, 17, 18, 19],
  unionpay: [16, 17, 18, 19],
  maestro: [16, 17, 18, 19],
};
const lengths = [12, 13, 14, 15, 16, 17, 18, 19];

/** Ranges of the package that domain/cards/issuers.ts leaves out, with the reason. */
const leftOut: readonly (readonly [prefix: RegExp, reason: string])[] = [
  [/^(1800|2131)/, 'JCB issued 15 digits from them, and the contract looks at 16 to 19'],
];

/** Every prefix of five digits, followed by 0 and 9 to cover both ends of a six-digit range. */
function* prefixes(): Generator<string> {
  for (let number = 0; number < 100_000; number++)
    for (const last of '09') yield `${String(number).padStart(5, '0')}${last}`;
}

/** Whether any of three numbers with this prefix and length is a card. Three, since at 18 digits one of them may be an SSCC. */
const accepts = (prefix: string, length: number) =>
  ['1', '2', '5'].some((fill) => isCardNumber(withLuhnDigit(prefix.padEnd(length - 1, fill))));

describe('the table agrees with credit-card-type over all prefixes', () => {
  const differences: string[] = [];
  for (const prefix of prefixes()) {
    const schemes = creditCardType(prefix).map(({ type }) => type);
    const issued = new Set(schemes.flatMap((scheme) => contractLengths[scheme] ?? []));
    for (const length of lengths) {
      const accepted = accepts(prefix, length);
      if (issued.has(length) && !accepted && !leftOut.some(([pattern]) => pattern.test(prefix)))
        differences.push(`${prefix}, ${length} digits: issued by ${schemes.join()}, not refused`);
      if (accepted && schemes.length === 0) differences.push(`${prefix}, ${length} digits: refused, issued by nobody`);
      if (accepted && length < 14) differences.push(`${prefix}: ${length} digits are too few`);
    }
  }

  test('it covers every issued number and no other', () => {
    expect(differences).toEqual([]);
  });

  test('the package has each range that is left out', () => {
    for (const [pattern] of leftOut)
      expect([...prefixes()].some((prefix) => pattern.test(prefix) && creditCardType(prefix).length > 0)).toBe(true);
  });
});

test('a number with a wrong check digit is not a card number', () => {
  expect(isCardNumber('4242424242424242')).toBe(true);
  for (const last of '013456789') expect(isCardNumber(`424242424242424${last}`)).toBe(false);
});
