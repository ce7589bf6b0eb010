/**
 * Finds card numbers in text, so that they can be refused before anything looks at them, logs them or keeps them.
 *
 * A card number is a run of 13 to 19 digits with at most one space or hyphen between two of them, that begins with 2 to 6
 * and passes the Luhn check (ISO/IEC 7812-1). A run that a space or hyphen divides may begin or end at any of them, so
 * that a number is found with other numbers beside it.
 */

/**
 * What is made of random digits by us or by the standards that we follow, and would now and then pass for a card number:
 * ids and API keys of ours, UUIDs (RFC 9562) and W3C traceparents. The latter two only with a hexadecimal letter in them.
 */
const uuid =
  '(?=[0-9-]*[a-fA-F])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}(?![A-Za-z0-9])';
const ours = [
  `(?:ord|pay|rsv|trf|rpl|po|sub|sup|rev|rfd|key)_(?:${uuid}|[0-9a-f]{32,}(?![A-Za-z0-9]))`,
  'hf_[a-z0-9]{1,16}_[0-9a-f]{48}_[0-9a-f]{8}(?![A-Za-z0-9])',
  uuid,
  '(?=[0-9-]*[a-f])[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?![A-Za-z0-9])',
];
const ourIds = new RegExp(`(?<![A-Za-z0-9])(?:${ours.join('|')})`, 'g');

const digitRuns = /\d(?:[ -]?\d)*/g;
const minDigits = 13;
const maxDigits = 19;

/** Whether the text holds a card number. Takes time in proportion to the text's length. */
export function holdsCardNumber(text: string): boolean {
  if (text.length < minDigits) return false;
  const foreign = text.replace(ourIds, '·');
  for (const [run] of foreign.matchAll(digitRuns)) {
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
