/** Parses values on the command line. A value that cannot be right is a usage error that says what was expected. */
import { InvalidArgumentError } from 'commander';
import { idempotencyKeyPattern, maxMinorUnits, maxPageSize, maxQuantity, maxWaitSeconds } from '../../domain/limits.js';
import { isCurrency, type Money, parseMinorUnits } from '../../domain/money.js';
import { codePattern } from '../../domain/stock.js';
import { type PlanInterval, planIntervals } from '../../domain/subscriptions/states.js';

const wholeNumber = (text: string, min: number, max: number): number => {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < min || value > max)
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
  return value;
};

export const quantity = (text: string) => wholeNumber(text, 1, maxQuantity);
export const stockLevel = (text: string) => wholeNumber(text, 0, maxQuantity);
/** Zero is allowed: nothing may have arrived. */
export const arrivedQuantity = (text: string) => wholeNumber(text, 0, maxQuantity);
export const minorUnits = (text: string) => wholeNumber(text, 1, maxMinorUnits);
export const waitSeconds = (text: string) => wholeNumber(text, 0, maxWaitSeconds);
export const listLimit = (text: string) => wholeNumber(text, 1, maxPageSize);

/** A SKU or a location code. */
export function code(text: string): string {
  if (!codePattern.test(text))
    throw new InvalidArgumentError('expected 1 to 64 letters, digits, dots, dashes, underscores');
  return text;
}

/** `24.90` or `24`: an amount in the currency of the order, in minor units. */
export function amount(text: string): number {
  const [, whole, hundredths = '00'] = /^(\d{1,6})(?:\.(\d{2}))?$/.exec(text) ?? [];
  const minorUnits = parseMinorUnits(Number(`${whole}${hundredths}`));
  if (minorUnits === null) throw new InvalidArgumentError('expected an amount without its currency, for example 24.90');
  return minorUnits;
}

/** `24.90 USD`, never rounded. */
export function money(text: string): Money {
  const [, whole, hundredths, name = ''] = /^(\d{1,6})(?:\.(\d{2}))? ?([A-Za-z]{3})$/.exec(text) ?? [];
  const currency = name.toUpperCase();
  const amount = parseMinorUnits(Number(`${whole}${hundredths ?? '00'}`));
  if (amount === null || !isCurrency(currency))
    throw new InvalidArgumentError(
      `expected an amount and its currency, USD, EUR or GBP, for example "24.90 USD" (at most ${maxMinorUnits / 100})`,
    );
  return { amount, currency };
}

export interface PlanValue extends Money {
  readonly interval: PlanInterval;
}

/** `10.00 USD/month`. */
export function plan(text: string): PlanValue {
  const at = text.lastIndexOf('/');
  const interval = planIntervals.find((each) => each === text.slice(at + 1).trim());
  if (at < 0 || interval === undefined)
    throw new InvalidArgumentError(
      `expected a price and an interval of ${planIntervals.join(', ')}: "10.00 USD/month"`,
    );
  return { ...money(text.slice(0, at).trim()), interval };
}

export const dayOfMonth = (text: string) => wholeNumber(text, 1, 31);

/** 1 to 255 visible ASCII characters. */
export function idempotencyKey(text: string): string {
  if (!idempotencyKeyPattern.test(text)) throw new InvalidArgumentError('expected 1 to 255 visible ASCII characters');
  return text;
}
