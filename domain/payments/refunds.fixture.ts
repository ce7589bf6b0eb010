/** The books of one order's refunds, kept by the plainest arithmetic, for the tests that compare it with domain/ and Postgres. */
import { type OrderMoney, paidForCharge, paidForLine, totalsOf } from '../orders/money.js';
import type { PlannedRefund, Refundable, RefundableLine } from './refunds.js';

export interface SoldLine {
  readonly sku: string;
  readonly location: string;
}

export class RefundBooks {
  /** Refunds that are pending or have succeeded, by id. */
  readonly standing = new Map<string, PlannedRefund>();
  /** What disputes have withdrawn. */
  disputed = 0;

  /** @param sold the goods of each line of `money` */
  constructor(
    private readonly money: OrderMoney,
    private readonly sold: readonly SoldLine[],
  ) {}

  get total(): number {
    return totalsOf(this.money).total;
  }

  get returned(): number {
    return [...this.standing.values()].reduce((sum, { amount }) => sum + amount, 0);
  }

  /** What was paid for a line, counted from 1. */
  paidFor(line: number): number {
    const given = this.money.lines[line - 1];
    return given === undefined ? 0 : paidForLine(given, this.money.taxesIncluded);
  }

  /** What refunds by line have returned for a line. */
  returnedFor(line: number): { readonly units: number; readonly money: number } {
    const returned = [...this.standing.values()].flatMap(({ lines }) => lines.filter((each) => each.line === line));
    return {
      units: returned.reduce((sum, { quantity }) => sum + quantity, 0),
      money: returned.reduce((sum, { amount }) => sum + amount, 0),
    };
  }

  get left(): Refundable {
    const { lines, charges, taxesIncluded } = this.money;
    return {
      left: Math.max(0, this.total - this.returned - this.disputed),
      total: this.total,
      lines: lines.map(({ quantity }, index): RefundableLine => {
        const line = index + 1;
        const { sku = '', location = '' } = this.sold[index] ?? {};
        const returned = this.returnedFor(line);
        return { line, sku, location, units: quantity - returned.units, money: this.paidFor(line) - returned.money };
      }),
      charges: charges.reduce((sum, charge) => sum + paidForCharge(charge, taxesIncluded), 0),
      chargesRefunded: [...this.standing.values()].some((refund) => refund.charges),
    };
  }
}
