/**
 * Finds card numbers in text, so that they can be refused before anything looks at them, logs them or keeps them.
 *
 * A card number is a run of 13 to 19 digits with at most one space or hyphen between two of them, that begins with 2 to 6
 * and passes the Luhn check (ISO/IEC 7812-1). A run that a space or hyphen divides may begin or end at any of them, so
 * that a number is found with other numbers beside it.
 */

/**
 * What is made of random digits by us or by what people commonly use, and would now and then pass for a card number: ids
 * and API keys of ours; UUIDs (RFC 9562), W3C traceparents and digests of 32, 40 or 64 hexadecimal digits. The latter three
 * only whole, and with a letter in them (docs/adr/0010-what-is-no-card-number.md).
 */
const end = '(?![A-Za-z0-9])';
const uuid = `(?=[0-9-]*[a-fA-F])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}${end}`;
const random = [
  `(?:ord|pay|rsv|trf|rpl|po|sub|sup|rev|rfd|key|req|upd)_(?:${uuid}|[0-9a-f]{32,}${end})`,
  `hf_[a-z0-9]{1,16}_[0-9a-f]{48}_[0-9a-f]{8}${end}`,
  uuid,
  `(?=[0-9-]*[a-f])[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}${end}`,
  `(?=[0-9]*[a-fA-F])(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})${end}`,
];
/** They begin where no letter or digit is before them, unless it belongs to an escape of a URL. */
const randomDigits = new RegExp(`(?<=^|[^A-Za-z0-9]|%[0-9A-Fa-f]{2})(?:${random.join('|')})`, 'g');

const digitRuns = /\d(?:[ -]?\d)*/g;
const minDigits = 13;
const maxDigits = 19;

/** Whether the text holds a card number. Takes time in proportion to the text's length. */
export function holdsCardNumber(text: string): boolean {
  if (text.length < minDigits) return false;
  const rest = text.replace(randomDigits, '·');
  for (const [run] of rest.matchAll(digitRuns)) {
    if (run.length >= minDigits && runHoldsCardNumber(run.split(/[ -]/))) return true;
  }
  return false;
}

function runHoldsCardNumber(groups: readonly string[]): boolean {
  for (let first = 0; first < groups.length; first++) {
    let digits = '';
    for (let last = first; last < groups.length && digits.length < maxDigits; last++) {
      digits += groups[last];
      if (digits.length >= minDigits && digits.length <= maxDigits && /^[2-6]/.test(digits) && passesLuhn(digits)) {
        return true;
      }
    }
  }
  return false;
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const weighted = place % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}
