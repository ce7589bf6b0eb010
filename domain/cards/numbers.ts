/**
 * Finds card numbers in text, so that they can be refused before anything processes, logs or stores them.
 * docs/adr/0010-what-is-no-card-number.md defines which numbers count, and why.
 *
 * Every function takes linear time: it reads each run of digits once, and a fixed number of characters around it.
 */
import { isCardNumber, maxCardDigits, minCardDigits, passesGs1 } from './issuers.js';
import { folded, withoutKnownNumbers } from './text.js';

/** Normalising may turn one character into two digits. */
const minCharacters = minCardDigits / 2;

/** Whether the text contains a card number, as it is or as a URL parser would store it. */
export function holdsCardNumber(text: string): boolean {
  if (text.length < minCharacters) return false;
  if (foldedHoldsCardNumber(folded(text))) return true;
  const url = asStoredUrl(text);
  return url !== null && foldedHoldsCardNumber(folded(url));
}

/**
 * Whether a JSON value contains a card number: in a string, in the name of a member, or as a number. Walks without
 * recursion, since nesting may exceed the stack.
 */
export function valueHoldsCardNumber(root: unknown): boolean {
  const rest: unknown[] = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === 'string') {
      if (holdsCardNumber(value)) return true;
    } else if (typeof value === 'number') {
      if (holdsCardNumber(String(value))) return true;
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      if (!Array.isArray(value) && Object.keys(value).some(holdsCardNumber)) return true;
      for (const member of Object.values(value)) rest.push(member);
    }
  }
  return false;
}

/** The text as a WHATWG URL parser stores it, without tabs and line breaks. Null where it has none or is not a URL. */
function asStoredUrl(text: string): string | null {
  if (!/[\t\n\r]/.test(text)) return null;
  const joined = text.replace(/[\t\n\r]/g, '');
  return /^[^:]{0,64}:/.test(joined) ? joined : null;
}

function foldedHoldsCardNumber(folds: string): boolean {
  const text = withoutKnownNumbers(folds);
  for (const { index, 0: run } of text.matchAll(/[0-9]+/g)) {
    if (text[index - 1] === '+') continue;
    if (runIsCard(run) || (run.length === 4 && groupsAreCard(text, index))) return true;
  }
  return false;
}

/** Whether a run of digits without separators is a card number. */
function runIsCard(run: string): boolean {
  if (run.length >= minCardDigits && run.length <= maxCardDigits) return isCardNumber(run);
  // A run as long as an id or a digest, but without a letter, may be a number padded with zeros.
  return paddedLengths.includes(run.length) && isCardNumber(run.replace(/^0+/, ''));
}
const paddedLengths: readonly number[] = [32, 40, 64];

/** One separator: up to two blanks, or one dash, dot, slash or underscore. */
const separator = ' {1,2}|[-./_]';
const fours = new RegExp(
  `([0-9]{4})(${separator})([0-9]{4})(${separator})([0-9]{4})(${separator})([0-9]{4})(?![0-9])`,
  'y',
);
const fourSix = new RegExp(`([0-9]{4})(?:${separator})([0-9]{6})(?:${separator})([0-9]{4,5})(?![0-9])`, 'y');
const separatorAt = new RegExp(`(${separator})`, 'y');
/** The remaining digits of a card number of 17 to 19 digits, after four groups of four. */
const fewBehind = new RegExp(`(?:${separator})([0-9]{1,3})(?![0-9])`, 'y');
/** A following group of at most five digits that is not part of a word. */
const groupBehind = new RegExp(`(${separator})([0-9]{1,5})(?![0-9A-Za-z])`, 'y');

/** Whether the groups of digits from `start` are a card number, in the groups that are printed on cards. */
function groupsAreCard(text: string, start: number): boolean {
  const [, ...six] = matchAt(fourSix, text, start) ?? [];
  if (six.length > 0 && isCardNumber(six.join(''))) return true;

  const match = matchAt(fours, text, start);
  if (!match) return false;
  const [whole, a = '', firstGap = '', b = '', , c = '', lastGap = '', d = ''] = match;
  if (continuesFromBefore(text, start, firstGap)) return false;
  const digits = a + b + c + d;
  const end = start + whole.length;
  // Two card numbers in a row, not one longer number.
  const [, another] = matchAt(separatorAt, text, end) ?? [];
  const [next, ...groups] = another === undefined ? [] : (matchAt(fours, text, end + another.length) ?? []);
  if (next !== undefined && isCardNumber(digits) && isCardNumber(groups.join('').replace(/[^0-9]/g, ''))) return true;
  const [, more] = matchAt(fewBehind, text, end) ?? [];
  if (more !== undefined && isCardNumber(digits + more)) return true;
  return isCardNumber(digits) && !continuesBehind(text, digits, end, kindOf(lastGap));
}

/** Whether the four groups end a longer number: one in groups of four, or an invalid IBAN. */
function continuesFromBefore(text: string, start: number, gap: string): boolean {
  const before = text.slice(Math.max(0, start - 8), start);
  if (yearOrExpiryBefore.test(before)) return false;
  const [, head, gapBefore = ''] =
    /([^0-9][0-9]{4}|^[0-9]{4}|(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2})( {1,2}|[-./_])$/.exec(before) ?? [];
  return head !== undefined && kindOf(gapBefore) === kindOf(gap);
}

/** A year or an expiry before a number, not part of it. */
const yearOrExpiryBefore =
  /(?<![0-9]|[0-9][ ./_-]|[0-9] {2})(?:20[0-9]{2}|(?:0[1-9]|1[0-2])[0-9]{2})(?: {1,2}|[-./_])$/;

/**
 * Whether the four groups begin a longer number with the same separator. A security code (3 or 4 digits) and an expiry
 * (`1228`, `12/28`) may follow a card number; five digits or more are a separate number.
 */
function continuesBehind(text: string, number: string, end: number, kind: string): boolean {
  const next = matchAt(groupBehind, text, end);
  if (!next || kindOf(next[1]) !== kind || isExpiryAt(text, end)) return false;
  const [whole, , digits = ''] = next;
  if (digits.length === 5) return false;
  const last = matchAt(groupBehind, text, end + whole.length);
  // One or two digits are a quantity or a month, unless they complete a parcel's number of 18 digits.
  if (digits.length < 3) return last === null && digits.length === 2 && passesGs1(number + digits);
  if (!last || kindOf(last[1]) !== kind) return false;
  const [, , more = ''] = last;
  const isCodeAndExpiry = digits.length === 3 || more.length === 3 || expiry.test(digits);
  return !isCodeAndExpiry;
}

const expiry = /^(0[1-9]|1[0-2])[0-9]{2}$/;
const expiryBehind = new RegExp(`(?:${separator})(?:0?[1-9]|1[0-2])[-./](?:20)?[0-9]{2}(?![0-9])`, 'y');
const isExpiryAt = (text: string, at: number) => matchAt(expiryBehind, text, at) !== null;

/** The kind of a separator: two blanks count as one. */
const kindOf = (gap: string | undefined) => gap?.charAt(0) ?? '';

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
