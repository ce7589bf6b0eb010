import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsCardNumber } from './card-numbers.js';

const visa = '4242424242424242';

/** Digits with the check digit that makes them pass; written apart from the code under test. */
function withCheckDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + Math.floor(value / 10) + (value % 10);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

const digits = (min: number, max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((list) => list.join(''));
const cardNumber = fc
  .tuple(fc.integer({ min: 2, max: 6 }), digits(11, 17))
  .map(([first, rest]) => withCheckDigit(`${first}${rest}`));

describe('a card number is found', () => {
  test('with any single spaces or hyphens between its digits, and any words around it', () => {
    fc.assert(
      fc.property(
        cardNumber,
        fc.array(fc.constantFrom('', ' ', '-'), { minLength: 19, maxLength: 19 }),
        fc.constantFrom('', 'card: ', 'x', '"', 'tok_', '12/'),
        fc.constantFrom('', '.', ' thanks', 'x', '"', ' 12/28'),
        (number, gaps, before, after) => {
          const written = [...number]
            .map((digit, index) => (index === 0 ? digit : `${gaps[index - 1]}${digit}`))
            .join('');
          expect(holdsCardNumber(`${before}${written}${after}`)).toBe(true);
        },
      ),
    );
  });

  test.each(['ord_', 'pay_', 'mov_', 'sup_', 'key_', 'hf_test_'])(
    'behind %s, which does not make it an id of ours',
    (prefix) => {
      expect(holdsCardNumber(`${prefix}${visa}`)).toBe(true);
      expect(holdsCardNumber(`${prefix}4242-4242-4242-4242`)).toBe(true);
      expect(holdsCardNumber(`${prefix}${visa} and more`)).toBe(true);
    },
  );

  test.each([
    ['hexadecimal digits of another length', `${visa}${'a'.repeat(15)}`],
    ['a digest behind letters', `x${visa}${'a'.repeat(16)}`],
  ])('in what is not quite random: %s', (_name, text) => {
    expect(holdsCardNumber(text)).toBe(true);
  });

  test('beside another number', () => {
    expect(holdsCardNumber(`2 ${visa}`)).toBe(true);
    expect(holdsCardNumber('4242 4242 4242 4242 1228 123')).toBe(true);
  });
});

describe('what is no card number is let through', () => {
  test('with one digit changed', () => {
    fc.assert(
      fc.property(cardNumber, fc.integer({ min: 1, max: 9 }), (number, change) => {
        const last = (Number(number.at(-1)) + change) % 10;
        expect(holdsCardNumber(`${number.slice(0, -1)}${last}`)).toBe(false);
      }),
    );
  });

  test.each([
    ['12 digits', withCheckDigit('42424242424')],
    ['20 digits', withCheckDigit('4242424242424242424')],
    ['a first digit of 1', withCheckDigit('142424242424242')],
    ['a first digit of 7', withCheckDigit('742424242424242')],
    ['two spaces between digits', '42424242  42424242'],
    ['a letter between digits', '42424242a42424242'],
    ['an id of ours', `ord_${visa}${visa}`],
    ['an id of ours with more behind', `rsv_${visa}${visa}01`],
    ['an id of ours with hyphens', 'rev_abcdef42-4242-4242-8242-424242424242'],
    ['a key of ours', `Bearer hf_test_${visa.repeat(3)}_42424242`],
    ['a traceparent', '00-4242424242424242aaaaaaaaaaaaaaaa-4242424242424242-01'],
    ['a UUID', 'abcdef42-4242-4242-8242-424242424242'],
    ['a request id of ours', `req_a${visa}${'b'.repeat(15)}`],
    ['an id of ours behind an escape of a URL', `/api/payments?q=order%2Ford_a${visa}${'b'.repeat(15)}`],
    ['a digest of 32 digits', `${visa}${'a'.repeat(16)}`],
    ['a digest of 40 digits', `sha1:${'A'.repeat(24)}${visa}`],
    ['a digest of 64 digits, with numbers behind it', `key-${'c'.repeat(48)}${visa}_1202_1301`],
  ])('%s', (_name, text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });
});

test('256 KiB of digits in groups are looked through, in time that grows with their length only', () => {
  expect(holdsCardNumber('1-1 '.repeat(65_536))).toBe(false);
  expect(holdsCardNumber('0'.repeat(262_144))).toBe(false);
});
