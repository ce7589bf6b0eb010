/**
 * Card numbers, and numbers that people might take for some, made at random. Written apart from the code under test: the
 * prefixes and check digits come from the schemes, GS1, 3GPP and ISO.
 */
import fc from 'fast-check';

/** Appends the check digit of ISO/IEC 7812-1. */
export function withLuhnDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + Math.floor(value / 10) + (value % 10);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

/** Appends the GS1 check digit, as in GTIN and SSCC. */
function withGs1Digit(digits: string): string {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

/** `prefix`, filled up with random digits to `length`. */
export const digitsTo = (length: number, prefix = ''): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: length - prefix.length, maxLength: length - prefix.length })
    .map((digits) => prefix + digits.join(''));

const cardOf = (prefixes: readonly string[], lengths: readonly number[]) =>
  fc
    .tuple(fc.constantFrom(...prefixes), fc.constantFrom(...lengths))
    .chain(([prefix, length]) => digitsTo(length - 1, prefix))
    .map(withLuhnDigit);

/** Card numbers as each scheme issues them. */
export const cards = {
  Visa: cardOf(['4'], [16, 19]),
  Mastercard: cardOf(['51', '52', '53', '54', '55', '2221', '2345', '2699', '2720'], [16]),
  Amex: cardOf(['34', '37'], [15]),
  Discover: cardOf(['6011', '644', '647', '649', '65'], [16, 17, 18, 19]),
  JCB: cardOf(['3528', '3529', '3550', '3589'], [16, 17, 18, 19]),
  UnionPay: cardOf(['62'], [16, 17, 18, 19]),
  Diners: cardOf(['300', '305', '36', '38', '39'], [14]),
  Maestro: cardOf(['5018', '5020', '5038', '5893', '6304', '6759', '6761', '6762', '6763'], [16, 17, 18, 19]),
  'Maestro, wide ranges': cardOf(['50', '56', '57', '58', '63', '67'], [16, 17, 19]),
} as const;

export const anyCard = fc.oneof(...Object.values(cards));

const uppercase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const alphanumeric = `${uppercase}0123456789`;

/** Country and the form of its account numbers (n digits, a letters, c either), of every form in the registry. */
const ibanForms =
  'AD 8n12c,AE 19n,AL 8n16c,AT 16n,AZ 4a20c,BA 16n,BE 12n,BG 4a6n8c,BH 4a14c,BR 23n1a1c,BY 4c4n16c,CH 5n12c,CR 18n,' +
  'CY 8n16c,CZ 20n,DE 18n,DK 14n,DO 4c20n,EE 16n,EG 25n,ES 20n,FI 14n,FO 14n,FR 10n11c2n,GB 4a14n,GE 2a16n,GI 4a15c,' +
  'GL 14n,GR 7n16c,GT 4c20c,HR 17n,HU 24n,IE 4a14n,IL 19n,IQ 4a15n,IS 22n,IT 1a10n12c,JO 4a4n18c,KW 4a22c,KZ 3n13c,' +
  'LB 4n20c,LC 4a24c,LI 5n12c,LT 16n,LU 3n13c,LV 4a13c,LY 21n,MC 10n11c2n,MD 2c18c,ME 18n,MK 3n10c2n,MR 23n,MT 4a5n18c,' +
  'MU 4a19n3a,NL 4a10n,NO 11n,PK 4a16c,PL 24n,PS 4a21c,PT 21n,QA 4a21c,RO 4a16c,RS 18n,SA 2n18c,SC 4a20n3a,SD 14n,' +
  'SE 20n,SI 15n,SK 20n,SM 1a10n12c,ST 21n,SV 4a20n,TL 19n,TN 20n,TR 5n1n16c,UA 6n19c,VA 18n,VG 4a16n,XK 16n';

const textOf = (alphabet: string, length: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length }).map((letters) => letters.join(''));

/** Account numbers are mostly digits, even if letters are allowed. */
const accountOf = (form: string) =>
  fc
    .tuple(
      ...[...form.matchAll(/(\d+)([nac])/g)].map(([, count, kind]) =>
        kind === 'a'
          ? textOf(uppercase, Number(count))
          : kind === 'c'
            ? fc.oneof(
                { weight: 4, arbitrary: textOf('0123456789', Number(count)) },
                textOf(alphanumeric, Number(count)),
              )
            : textOf('0123456789', Number(count)),
      ),
    )
    .map((parts) => parts.join(''));

function withIbanDigits(country: string, account: string): string {
  const numeric = [...`${account}${country}00`].map((character) => String(Number.parseInt(character, 36))).join('');
  return `${country}${String(98n - (BigInt(numeric) % 97n)).padStart(2, '0')}${account}`;
}

const iban = fc
  .constantFrom(...ibanForms.split(','))
  .chain((entry) => accountOf(entry.slice(3)).map((account) => withIbanDigits(entry.slice(0, 2), account)));
const inFours = (text: string) => text.replace(/(.{4})(?=.)/g, '$1 ');

const twoDigits = (value: number) => String(value).padStart(2, '0');
const day = fc
  .tuple(fc.integer({ min: 1970, max: 2099 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 }))
  .map(([year, month, date]) => `${year}${twoDigits(month)}${twoDigits(date)}`);
const dayReference = fc.tuple(day, fc.integer({ min: 14, max: 19 })).chain(([date, length]) => digitsTo(length, date));

const phone = fc
  .tuple(
    fc.constantFrom(
      '1',
      '7',
      '20',
      '33',
      '34',
      '36',
      '37',
      '39',
      '44',
      '49',
      '351',
      '353',
      '371',
      '380',
      '41',
      '52',
      '55',
      '62',
      '63',
      '65',
      '86',
      '91',
    ),
    fc.integer({ min: 6, max: 11 }).chain((length) => digitsTo(length)),
    fc.constantFrom('', ' ', '-', '.'),
    fc.constantFrom('', '+', '00', '(', 'tel:+'),
  )
  // ITU-T E.164 allows longer ones, but these countries do not assign them.
  .filter(([country, number]) => country.length + number.length <= 13)
  .map(
    ([country, number, gap, before]) => `${before}${country}${gap}${number.replace(/(\d{3,4})(?=\d)/g, `$1${gap}`)}`,
  );

/** A snowflake id: 41 bits of milliseconds since an epoch, then 22 bits of worker and sequence. */
const snowflake = fc
  .tuple(
    fc.integer({ min: 1_640_995_200, max: 1_795_000_000 }),
    fc.integer({ min: 0, max: 2 ** 22 - 1 }),
    fc.constantFrom(1_288_834_974_657, 1_420_070_400_000),
  )
  .map(([seconds, rest, epoch]) => String((BigInt(seconds) * 1000n - BigInt(epoch)) * 4_194_304n + BigInt(rest)));

const alnumSkuLetter = fc.constantFrom('', 'SKU-', 'EAN ', 'ref: ');
const eachWith = (numbers: fc.Arbitrary<string>) => fc.tuple(alnumSkuLetter, numbers).map((parts) => parts.join(''));

/** Numbers that must pass, by kind. Not one may be refused. */
export const harmless: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'EAN-8': eachWith(digitsTo(7).map(withGs1Digit)),
  'EAN-13': eachWith(digitsTo(12).map(withGs1Digit)),
  'EAN-13, German': eachWith(digitsTo(12, '400').map(withGs1Digit)),
  'UPC-A': eachWith(digitsTo(11).map(withGs1Digit)),
  'a list of EANs': fc
    .array(digitsTo(12).map(withGs1Digit), { minLength: 2, maxLength: 6 })
    .map((list) => list.join(' ')),
  IMEI: eachWith(
    fc
      .constantFrom('35', '86', '01', '99', '45', '52')
      .chain((body) => digitsTo(14, body))
      .map(withLuhnDigit),
  ),
  'IMEI, grouped': fc
    .constantFrom('35', '86', '01')
    .chain((body) => digitsTo(14, body))
    .map(withLuhnDigit)
    .map((imei) => imei.replace(/^(..)(.{6})(.{6})(.)$/, '$1-$2-$3-$4')),
  IBAN: iban,
  'IBAN in lower case': iban.map((text) => text.toLowerCase()),
  'IBAN, grouped': iban.map(inFours),
  'IBAN, grouped with no-break spaces': iban.map((text) => inFours(text).replaceAll(' ', '\u00a0')),
  'IBAN in a sentence': iban.map((text) => `Pay to ${inFours(text)}, 20 EUR`),
  'date and more': dayReference,
  'date and time': day.map((date) => `${date}235959`),
  phone,
  'Shopify order': digitsTo(13, '5'),
  'eBay order': digitsTo(12).map((text) => text.replace(/^(..)(.{5})(.{5})$/, '$1-$2-$3')),
  'Amazon order': digitsTo(17).map((text) => text.replace(/^(...)(.{7})(.{7})$/, '$1-$2-$3')),
  snowflake,
  'parcel of DHL': digitsTo(19, '0034').map(withGs1Digit),
  'parcel of DHL, grouped': digitsTo(19, '0034').map(withGs1Digit).map(inFours),
  'parcel of USPS': fc
    .constantFrom('9205', '9400', '9361')
    .chain((head) => digitsTo(21, head))
    .map(withGs1Digit),
  'parcel of USPS, grouped': digitsTo(21, '9400').map(withGs1Digit).map(inFours),
  'parcel of UPS': textOf(alphanumeric, 6)
    .filter((shipper) => /[A-Z]/.test(shipper))
    .chain((shipper) => digitsTo(10).map((rest) => `1Z${shipper}${rest}`)),
  'parcel of FedEx': digitsTo(12),
  'parcel of the post': digitsTo(9).map((text) => `RR${text}DE`),
  UUID: fc.uuid(),
  digest: fc
    .tuple(fc.constantFrom(32, 40, 64), fc.nat())
    .chain(([length]) => textOf('0123456789abcdef', length))
    .filter((text) => /[a-f]/.test(text)),
  traceparent: fc
    .tuple(textOf('0123456789abcdef', 32), digitsTo(16, '4'))
    .filter(([trace]) => /[a-f]/.test(trace))
    .map(([trace, span]) => `00-${trace}-${span}-01`),
  'amounts and dates': fc
    .array(fc.integer({ min: 0, max: 99_999_999 }), { minLength: 1, maxLength: 8 })
    .map((amounts) => amounts.join(', ')),
};

/** Parcel and case numbers as long as card numbers. One in 200 may be refused, since some are valid card numbers. */
export const seldomRefused: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'GTIN-14': fc
    .integer({ min: 1, max: 8 })
    .chain((indicator) => digitsTo(13, String(indicator)))
    .map(withGs1Digit),
  'SSCC-18': digitsTo(17).map(withGs1Digit),
};
