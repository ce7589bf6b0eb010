/** Finds card numbers in URLs, which are then refused and never echoed. */
import { holdsCardNumber } from '../../domain/cards/numbers.js';

/** Checks the URL both as sent and decoded. */
export function urlHoldsCardNumber(url: string): boolean {
  // The digits of a percent escape are not part of a number.
  return holdsCardNumber(url.replace(/%[0-9A-Fa-f]{2}/g, '·')) || everyReading(decoded(url)).some(holdsCardNumber);
}

/** Node decodes heads as Latin-1, but many clients send UTF-8. */
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
