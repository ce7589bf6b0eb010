/** Whether a URL carries a card number: it is then neither answered to nor echoed. */
import { holdsCardNumber } from '../../domain/cards/numbers.js';

/** Looks at the URL as it was sent and as it is decoded. */
export function urlHoldsCardNumber(url: string): boolean {
  // The digits of an escape belong to no number.
  return holdsCardNumber(url.replace(/%[0-9A-Fa-f]{2}/g, '·')) || everyReading(decoded(url)).some(holdsCardNumber);
}

/** Node reads heads as Latin-1; many clients write UTF-8. */
export function everyReading(text: string): readonly string[] {
  if (!/[\x80-\xff]/.test(text)) return [text];
  return [text, Buffer.from(text, 'latin1').toString('utf8')];
}

function decoded(url: string): string {
  const spaced = url.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // A broken escape must not hide the rest.
    return spaced.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}
