/**
 * The money of an order: what its lines and charges come to, and what each unit of a line gives back when it is refunded.
 * All amounts are integers in minor units of one currency. db/functions/07_order_lines.sql computes the same sums, and
 * test/database/orders/money.test.ts compares both.
 */
import { maxMinorUnits } from '../limits.js';

export const chargeKinds = ['shipping', 'handling', 'fee', 'other'] as const;
type ChargeKind = (typeof chargeKinds)[number];

/** What is paid for one line. `discount` and `tax` are of the whole line. */
export interface LineMoney {
  readonly quantity: number;
  readonly unitPrice: number;
  readonly discount: number;
  readonly tax: number;
}

/** An amount that is paid beside the goods. */
export interface Charge {
  readonly kind: ChargeKind;
  readonly name: string;
  readonly amount: number;
  readonly tax: number;
}

export interface OrderMoney {
  readonly lines: readonly LineMoney[];
  readonly charges: readonly Pick<Charge, 'amount' | 'tax'>[];
  /** True: taxes are contained in the amounts and only shown. False: they are added. */
  readonly taxesIncluded: boolean;
}

/** `total` is `subtotal − discountTotal + chargeTotal`, plus `taxTotal` where taxes are not included. */
export interface OrderTotals {
  readonly subtotal: number;
  readonly discountTotal: number;
  readonly taxTotal: number;
  readonly chargeTotal: number;
  readonly total: number;
}

export type MoneyFault =
  /** A discount above the subtotal of its line. `line` counts from 0. */
  | { readonly kind: 'discount_too_large'; readonly line: number; readonly max: number }
  /** An included tax above the amount that contains it. */
  | { readonly kind: 'tax_too_large'; readonly line: number; readonly max: number }
  | { readonly kind: 'charge_tax_too_large'; readonly charge: number; readonly max: number }
  | { readonly kind: 'total_too_large'; readonly max: number };

/** What is paid for a line: its subtotal less its discount, plus its tax where taxes are added. */
export function paidForLine(line: LineMoney, taxesIncluded: boolean): number {
  return line.quantity * line.unitPrice - line.discount + (taxesIncluded ? 0 : line.tax);
}

/** What is paid for a charge. */
export function paidForCharge(charge: Pick<Charge, 'amount' | 'tax'>, taxesIncluded: boolean): number {
  return charge.amount + (taxesIncluded ? 0 : charge.tax);
}

export function totalsOf({ lines, charges, taxesIncluded }: OrderMoney): OrderTotals {
  let subtotal = 0;
  let discountTotal = 0;
  let taxTotal = 0;
  let chargeTotal = 0;
  for (const { quantity, unitPrice, discount, tax } of lines) {
    subtotal += quantity * unitPrice;
    discountTotal += discount;
    taxTotal += tax;
  }
  for (const { amount, tax } of charges) {
    chargeTotal += amount;
    taxTotal += tax;
  }
  const total = subtotal - discountTotal + chargeTotal + (taxesIncluded ? 0 : taxTotal);
  return { subtotal, discountTotal, taxTotal, chargeTotal, total };
}

/** The first thing that is wrong with an order's money; null where all of it adds up within the limits. */
export function faultIn(money: OrderMoney): MoneyFault | null {
  const { lines, charges, taxesIncluded } = money;
  for (const [line, { quantity, unitPrice, discount, tax }] of lines.entries()) {
    const subtotal = quantity * unitPrice;
    if (discount > subtotal) return { kind: 'discount_too_large', line, max: subtotal };
    if (taxesIncluded && tax > subtotal - discount) return { kind: 'tax_too_large', line, max: subtotal - discount };
  }
  for (const [charge, { amount, tax }] of charges.entries())
    if (taxesIncluded && tax > amount) return { kind: 'charge_tax_too_large', charge, max: amount };
  const { subtotal, chargeTotal, taxTotal, total } = totalsOf(money);
  const largest = Math.max(subtotal, chargeTotal, taxTotal, total);
  return largest > maxMinorUnits ? { kind: 'total_too_large', max: maxMinorUnits } : null;
}

/**
 * What `units` more units of a line give back when `refunded` units were refunded before, by largest remainder: the first
 * units get one minor unit more, so that all units together give back exactly what was paid.
 * @param paid what was paid for the whole line
 */
export function shareOfUnits(paid: number, quantity: number, refunded: number, units: number): number {
  const base = Math.floor(paid / quantity);
  const larger = paid % quantity;
  return units * base + Math.min(larger, refunded + units) - Math.min(larger, refunded);
}
