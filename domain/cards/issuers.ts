/**
 * The numbers that card schemes issue: ranges of prefixes, each with its lengths.
 *
 * Pure data, since domain/ takes no library and is part of the workflow bundle. The ranges are those of the package
 * credit-card-type, merged where they touch; domain/cards/issuers.test.ts compares the two over all six-digit prefixes
 * and names each difference with its reason.
 */

interface IssuerRange {
  /** First and last prefix, of equal length. */
  readonly from: string;
  readonly to: string;
  readonly lengths: readonly number[];
  /**
   * At 18 digits, a number of this range with a valid SSCC check digit counts as a parcel. Otherwise these wide ranges would
   * refuse one SSCC in a hundred, and few 18-digit cards of them exist.
   */
  readonly sharedWithParcels?: true;
}

const range = (from: string, to: string, lengths: readonly number[]): IssuerRange => ({ from, to, lengths });
const shared = (from: string, to: string): IssuerRange => ({
  from,
  to,
  lengths: [16, 17, 18, 19],
  sharedWithParcels: true,
});
const sixteenToNineteen = [16, 17, 18, 19] as const;

/** The first range that covers a number counts, so narrow ranges come before the wide ones around them. */
const ranges: readonly IssuerRange[] = [
  // Visa.
  range('4', '4', [16, 19]),
  // Mastercard.
  range('51', '55', [16]),
  range('2221', '2720', [16]),
  // American Express.
  range('34', '34', [15]),
  range('37', '37', [15]),
  // Diners Club.
  range('300', '305', [14]),
  range('36', '36', [14]),
  range('38', '39', [14]),
  // Discover.
  range('6011', '6011', sixteenToNineteen),
  range('644', '659', sixteenToNineteen),
  // JCB. Its old ranges 1800 and 2131 belonged to 15 digits; 16 digits from 1800 are microseconds of January 2027.
  range('3528', '3589', sixteenToNineteen),
  // UnionPay.
  range('62', '62', sixteenToNineteen),
  shared('8100', '8171'),
  // Maestro's own prefixes, then the ranges that it shares with others.
  ...['5018', '5020', '5038', '5612', '5893', '6304', '6390', '6759', '6761', '6762', '6763', '6767', '6799'].map(
    (prefix) => range(prefix, prefix, sixteenToNineteen),
  ),
  shared('50', '50'),
  shared('56', '59'),
  shared('6', '6'),
];

export const minCardDigits = 14;
export const maxCardDigits = 19;

/** Whether the digits are a card number: the issuer's range has this length, and the check digit is right. */
export function isCardNumber(digits: string): boolean {
  const issuer = ranges.find(({ from, to, lengths }) => {
    const prefix = digits.slice(0, from.length);
    return prefix >= from && prefix <= to && lengths.includes(digits.length);
  });
  if (issuer === undefined || !passesLuhn(digits)) return false;
  return !(issuer.sharedWithParcels && digits.length === 18 && passesGs1(digits));
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const weighted = place % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

/** The check digit of the GS1 General Specifications, section 7.9: SSCC, GTIN. */
export function passesGs1(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++)
    sum += (digits.charCodeAt(digits.length - 1 - place) - 48) * (place % 2 === 1 ? 3 : 1);
  return sum % 10 === 0;
}
