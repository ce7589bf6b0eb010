/** Money in minor units (cents). Amounts are safe integers; nothing here ever rounds. */
import { maxMinorUnits } from './limits.js';

export const currencies = ['USD', 'EUR', 'GBP'] as const;
export type Currency = (typeof currencies)[number];

/** An integer number of minor units, from 0 to `maxMinorUnits`. */
export type MinorUnits = number & { readonly __brand: 'MinorUnits' };

export interface Money {
  readonly amount: MinorUnits;
  readonly currency: Currency;
}

/** The amount as minor units; null where it is not an integer within the limits. */
export function parseMinorUnits(amount: number): MinorUnits | null {
  return Number.isSafeInteger(amount) && amount >= 0 && amount <= maxMinorUnits ? (amount as MinorUnits) : null;
}

export function isCurrency(value: string): value is Currency {
  return (currencies as readonly string[]).includes(value);
}

/** Formats an amount for people: `19.99 USD`. */
export function formatMoney(money: { amount: number; currency: string }): string {
  return `${(money.amount / 100).toFixed(2)} ${money.currency}`;
}
