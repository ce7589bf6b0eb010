/** Prices in proportion to time: to the second, half up, one rounding a line, over the length of the whole period. */
import type { Period } from './states.js';
import { secondsOf } from './subscription.js';

const lengthOf = ({ start, end }: Period): number => secondsOf(end) - secondsOf(start);

/** The price of `part` of a period that costs `price` as a whole. A part as long as the whole costs the price exactly. */
export function priceOf(price: number, part: Period, whole: Period): number {
  const [numerator, denominator] = [BigInt(price) * BigInt(lengthOf(part)), BigInt(lengthOf(whole))];
  return Number((2n * numerator + denominator) / (2n * denominator));
}

/** What a change of price at `part.start` gives back and takes for the rest of the period. `net` = `charge` − `credit`. */
export function prorate(old: number, now: number, part: Period, whole: Period) {
  const credit = priceOf(old, part, whole);
  const charge = priceOf(now, part, whole);
  return { credit, charge, net: charge - credit };
}
