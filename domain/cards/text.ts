/**
 * Prepares text for the search for card numbers: writes every form of a digit or a separator as one character, and blanks
 * numbers that are known not to be card numbers. Both steps take linear time.
 */

/** Replaces a character that is neither digit, letter nor separator. */
const other = '·';

const ascii = /^\p{ASCII}*$/u;
/** Variation selectors, combining marks, joiners, soft hyphens: they do not separate digits. */
const invisible = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const blank = /^[\s\x85\p{Z}]$/u;
const dash = /^[\p{Pd}\u2212\u2043]$/u;
const dot = /^[\xb7\u2022\u2219\u22c5]$/u;
const slash = /^[\u2044\u2215]$/u;

/**
 * The text after NFKC, with every blank as a space, every dash as `-`, every dot as `.`, every slash as `/`. Each
 * character is normalised by itself: composition makes no digit and no separator, and normalising a whole text takes
 * quadratic time where combining marks stand in the wrong order.
 */
export function folded(text: string): string {
  if (ascii.test(text)) return text.replace(/[\t-\r]/g, ' ');
  const known = new Map<string, string>();
  let result = '';
  for (const character of text) {
    let plain = known.get(character);
    if (plain === undefined) {
      plain = Array.from(character.normalize('NFKC'), foldedCharacter).join('');
      known.set(character, plain);
    }
    result += plain;
  }
  return result;
}

function foldedCharacter(character: string): string {
  if (blank.test(character)) return ' ';
  if (ascii.test(character)) return character;
  if (invisible.test(character)) return '';
  if (dash.test(character)) return '-';
  if (dot.test(character)) return '.';
  if (slash.test(character)) return '/';
  return other;
}

/** Blanks known numbers: our own ids and keys, UUIDs, traces, digests, IBANs. */
export function withoutKnownNumbers(text: string): string {
  let result = '';
  let kept = 0;
  for (const { index, 0: word } of text.matchAll(/[0-9A-Za-z]+/g)) {
    if (index < kept) continue;
    const end = index + word.length;
    const known = endOfKnown(text, index, end) ?? endAfterEscape(text, index, end);
    if (known === null) continue;
    result += `${text.slice(kept, index)}${other}`;
    kept = known;
  }
  return result + text.slice(kept);
}

/** The same for a word behind a URL's escape: `order%2Ford_…`. */
function endAfterEscape(text: string, start: number, end: number): number | null {
  const escaped = text[start - 1] === '%' && /^[0-9A-Fa-f]{2}/.test(text.slice(start, start + 2));
  return escaped ? endOfKnown(text, start + 2, end) : null;
}

/** The end of the known number that begins with the word from `start` to `end`; null where the word begins none. */
function endOfKnown(text: string, start: number, end: number): number | null {
  const length = end - start;
  if (length === 2) return endOfMatch(traceparent, text, start);
  if (length === 4) return endOfGroupedIban(text, start);
  if (length === 8) return endOfMatch(uuid, text, start);
  const word = text.slice(start, end);
  if (length === 18 && upsParcel.test(word)) return end;
  if (length >= 32 && hex.test(word) && isRandom(text, start, length)) return end;
  return length >= 15 && length <= maxIbanLength && isIban(word) ? end : null;
}

/** A tracking number of UPS: six characters of the shipper, with a letter among them, and ten digits. */
const upsParcel = /^1Z(?=[0-9]{0,5}[A-Z])[0-9A-Z]{6}[0-9]{10}$/i;
const behind = '(?![0-9A-Za-z])';
/** RFC 9562. */
const uuid = new RegExp(
  `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}${behind}`,
  'y',
);
/** https://www.w3.org/TR/trace-context/ */
const traceparent = new RegExp(`[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}${behind}`, 'y');

/** The end of a match at `start` that contains a letter; digits alone may be a card number. */
function endOfMatch(pattern: RegExp, text: string, start: number): number | null {
  pattern.lastIndex = start;
  const [match] = pattern.exec(text) ?? [];
  return match !== undefined && /[a-fA-F]/.test(match) ? start + match.length : null;
}

/** Hexadecimal digits with a letter among them. */
const hex = /^[0-9]*[a-fA-F][0-9a-fA-F]*$/;
/** In hexadecimal digits: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
const digestLengths: readonly number[] = [32, 40, 56, 64, 96, 128];
const ourPrefix = /(?:^|[^0-9A-Za-z]|%[0-9A-Fa-f]{2})(?:ord|pay|rsv|trf|rpl|po|sub|sup|mov|rev|rfd|key|req|upd)_$/;
const ourKey = /(?:^|[^0-9A-Za-z])hf_[a-z0-9]{1,16}_$/;

function isRandom(text: string, start: number, length: number): boolean {
  if (digestLengths.includes(length)) return true;
  const before = text.slice(Math.max(0, start - 24), start);
  return ourPrefix.test(before) || (length === 48 && ourKey.test(before));
}

const maxIbanLength = 34;
/** Country and length, from the IBAN registry of SWIFT (ISO 13616), release 99. */
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Country, length and check digits (ISO 7064, MOD 97-10). */
function isIban(word: string): boolean {
  const account = word.toUpperCase();
  if (!/^[A-Z]{2}[0-9]{2}/.test(account) || ibanLengths[account.slice(0, 2)] !== account.length) return false;
  let rest = 0;
  for (const character of account.slice(4) + account.slice(0, 4)) {
    const code = character.charCodeAt(0);
    const value = code < 58 ? code - 48 : code - 55;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** An IBAN as it is printed, in groups of four. */
function endOfGroupedIban(text: string, start: number): number | null {
  const length = ibanLengths[text.slice(start, start + 2).toUpperCase()];
  if (length === undefined) return null;
  const separator = text[start + 4] ?? '';
  if (separator !== ' ' && separator !== '-' && separator !== '.') return null;
  const end = start + length + Math.ceil(length / 4) - 1;
  const groups = text.slice(start, end).split(separator);
  const grouped = groups.every((group, place) => group.length === Math.min(4, length - place * 4));
  const endsHere = !/^[0-9A-Za-z]/.test(text.slice(end, end + 1));
  return grouped && endsHere && isIban(groups.join('')) ? end : null;
}
