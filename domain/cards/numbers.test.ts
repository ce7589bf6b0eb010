import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCard, cards, digitsTo, harmless, seldomRefused, withLuhnDigit } from '../../test/card-samples.js';
import { holdsCardNumber, valueHoldsCardNumber } from './numbers.js';

const visa = '4242424242424242';

/** Separators, by what they are. */
const separators: Readonly<Record<string, string>> = {
  space: ' ',
  'no-break space': '\u00a0',
  'narrow no-break space': '\u202f',
  'ideographic space': '\u3000',
  tab: '\t',
  'two spaces': '  ',
  'space and no-break space': ' \u00a0',
  'line break': '\n',
  'line break of Windows': '\r\n',
  hyphen: '-',
  'non-breaking hyphen': '\u2011',
  'en dash': '–',
  'em dash': '—',
  'minus sign': '−',
  'full-width hyphen': '－',
  dot: '.',
  'full-width dot': '．',
  slash: '/',
  'full-width slash': '／',
  underscore: '_',
  'full-width underscore': '＿',
};
const fullWidth = (text: string) => text.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));

/** A number in the groups that its scheme prints. */
function grouped(number: string, ...gaps: readonly string[]): string {
  const sizes = number.length === 15 ? [4, 6, 5] : number.length === 14 ? [4, 6, 4] : [4, 4, 4, 4, number.length - 16];
  const groups: string[] = [];
  for (const size of sizes) groups.push(number.slice(groups.join('').length).slice(0, size));
  if (groups.at(-1) === '') groups.pop();
  return groups.map((group, place) => (place === 0 ? group : `${gaps[(place - 1) % gaps.length]}${group}`)).join('');
}

const words = fc.constantFrom(
  '',
  'card: ',
  'x',
  '"',
  'tok_',
  'ord_',
  '12/',
  '2 ',
  'qty 3 ',
  '2026-11-27 ',
  '(',
  'é',
  '№',
);
const ends = fc.constantFrom(
  '',
  '.',
  ' thanks',
  'x',
  '"',
  ' 123',
  ' 1234',
  ' 12/28',
  ' 12/2028',
  ' 1228 123',
  '\n',
  ', 7',
  ')',
  ' 90210',
);

describe('a card number is found', () => {
  test.each(Object.entries(cards))('of %s, digits together and in groups', (_scheme, card) => {
    fc.assert(
      fc.property(card, fc.constantFrom(...Object.values(separators)), words, ends, (number, gap, before, behind) => {
        expect(holdsCardNumber(`${before}${number}${behind}`)).toBe(true);
        expect(holdsCardNumber(`${before}${grouped(number, gap)}${behind}`)).toBe(true);
        expect(holdsCardNumber(fullWidth(grouped(number, gap)))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test.each(Object.entries(separators))('separated by %s, alone or mixed with another separator', (_name, gap) => {
    fc.assert(
      fc.property(anyCard, fc.constantFrom(...Object.values(separators)), (number, other) => {
        expect(holdsCardNumber(grouped(number, gap))).toBe(true);
        expect(holdsCardNumber(grouped(number, gap, other))).toBe(true);
      }),
    );
  });

  test.each([
    ['behind the prefix of an id', `rfd_${visa}`],
    ['behind the prefix of an id, in groups', 'ord_4242-4242-4242-4242'],
    ['behind the prefix of a key', `hf_test_${visa}`],
    ['padded to the length of an id', `rfd_${visa.padStart(32, '0')}`],
    ['padded to the length of a digest', visa.padStart(40, '0')],
    ['with letters, but not as long as a digest', `${visa}${'a'.repeat(15)}`],
    ['behind a letter, in what would otherwise be a digest', `x${visa}${'a'.repeat(16)}`],
    ['behind the country of an invalid IBAN', `DK${visa}`],
    ['in a URL whose line breaks the parser drops', 'http://s.example/42424242\n4242\r\n42\t42'],
    ['with soft hyphens', '4242\u00ad4242\u00ad4242\u00ad4242'],
    ['with invisible joiners', '42\u200b424242\u206042424242'],
    ['in digits with combining marks', [...visa].map((digit) => `${digit}\ufe0f\u20e3`).join('')],
    ['beside the quantity', `2 ${visa}`],
    ['behind an id', `ord_${'0a'.repeat(16)} ${visa}`],
    ['behind a UUID', 'abcdef42-4242-4242-8242-424242424242 4242 4242 4242 4242'],
    ['before a dot and a digit', `${visa}.0`],
    ['before an expiry and a code, all in groups', '4242 4242 4242 4242 12 27 123'],
    ['before a month', '4242 4242 4242 4242 12'],
    ['before a quantity', '4242-4242-4242-4242-1'],
    ['behind a year', '2026 4242 4242 4242 4242'],
    ['behind an expiry', '1227-4242-4242-4242-4242'],
    ['before another one', '4242 4242 4242 4242 5555 5555 5555 4444'],
  ])('%s', (_name, text) => {
    expect(holdsCardNumber(text)).toBe(true);
  });
});

describe('other numbers are let through', () => {
  test.each(Object.entries(harmless))('%s', (_kind, numbers) => {
    fc.assert(
      fc.property(numbers, (text) => {
        expect(holdsCardNumber(text)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(Object.entries(seldomRefused))('%s, but for one in 200', (_kind, numbers) => {
    const sample = fc.sample(fc.noBias(numbers), { numRuns: 20_000, seed: 7 });
    expect(sample.filter(holdsCardNumber).length / sample.length).toBeLessThan(0.005);
  });

  test('with one digit changed', () => {
    fc.assert(
      fc.property(anyCard, fc.integer({ min: 1, max: 9 }), fc.constantFrom('', ' ', '-'), (number, change, gap) => {
        const wrong = `${number.slice(0, -1)}${(Number(number.at(-1)) + change) % 10}`;
        expect(holdsCardNumber(wrong)).toBe(false);
        if (number.length <= 16) expect(holdsCardNumber(grouped(wrong, gap))).toBe(false);
      }),
    );
  });

  test('inside a longer run of digits', () => {
    fc.assert(
      fc.property(anyCard, fc.integer({ min: 1, max: 60 }), fc.boolean(), (number, more, before) => {
        fc.pre(number.length + more > 19);
        const rest = '9'.repeat(more);
        expect(holdsCardNumber(before ? rest + number : number + rest)).toBe(false);
      }),
    );
  });

  test('of a length or a range that no scheme has', () => {
    const others = fc.oneof(
      digitsTo(15, '4'),
      digitsTo(12, '4'),
      digitsTo(16, '4'),
      digitsTo(17, '4'),
      digitsTo(14, '35'),
      digitsTo(16, '51'),
      digitsTo(15, '1'),
      digitsTo(15, '7'),
      digitsTo(15, '9'),
      digitsTo(15, '2100'),
      digitsTo(13, '31'),
    );
    fc.assert(
      fc.property(others.filter((digits) => !/^4\d{14}$/.test(digits)).map(withLuhnDigit), (number) => {
        expect(holdsCardNumber(number)).toBe(false);
      }),
    );
  });

  test('after a plus', () => {
    fc.assert(
      fc.property(anyCard, (number) => {
        expect(holdsCardNumber(`+${number}`)).toBe(false);
      }),
    );
    expect(holdsCardNumber('+4242 4242 4242 4242')).toBe(false);
  });

  test.each([
    ['separated by three spaces', '4242   4242   4242   4242'],
    ['in groups that no card has', '424242 424242 4242'],
    ['separated by letters', '4242a4242a4242a4242'],
    ['in groups, the last of a longer number', '9234 4242 4242 4242 4242'],
    ['in groups, the first of a longer number', '4242 4242 4242 4242 4444 4444'],
    ['an id of ours', `ord_a${visa}${'b'.repeat(15)}`],
    ['an id of ours with more behind', `rsv_a${visa}${'0'.repeat(15)}01`],
    ['a key of ours', `Bearer hf_test_${visa.repeat(2)}aaaaaaaaaaaaaaaa_42424242`],
    ['an id of ours behind an escape of a URL', `/api/payments?q=order%2Ford_a${visa}${'b'.repeat(15)}`],
    ['a digest behind an escape of a URL', `/api/payments?q=%22${visa}${'b'.repeat(16)}`],
    ['the key of a bulk', `holdfast-bulk-${'c'.repeat(48)}${visa}_1202_1301`],
    ['32 digits', visa + visa],
  ])('%s', (_name, text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });
});

describe('a value', () => {
  test.each([
    ['in a string deep down', { a: [{ b: [{ c: `x ${visa}` }] }] }],
    ['in the name of a member', { [visa]: 1 }],
    ['as a number', [Number(visa)]],
    ['separated by no-break spaces and tabs', { reason: '4242\u00a04242\t4242\u00a04242' }],
    ['nested deeper than the stack allows', JSON.parse(`${'['.repeat(50_000)}"${visa}"${']'.repeat(50_000)}`)],
  ])('with a card number %s is found', (_name, value) => {
    expect(valueHoldsCardNumber(value)).toBe(true);
  });

  test('of another kind has no card number', () => {
    for (const value of [undefined, null, true, 1.5, 'x', [], {}, new Uint8Array(64), { sku: '4000926247103' }])
      expect(valueHoldsCardNumber(value)).toBe(false);
  });
});
