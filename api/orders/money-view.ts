/** The money of an order as clients see it: the same for an order that is written and for one that is about to be. */
import type { Currency } from '../../domain/money.js';
import { type LineMoney, type OrderTotals, paidForLine } from '../../domain/orders/money.js';
import type { Order } from './schemas.js';

type Totals = Pick<Order, keyof OrderTotals>;
type LineMoneyView = Pick<Order['lines'][number], 'unitPrice' | 'subtotal' | 'discount' | 'tax' | 'total'>;

export function viewTotals(totals: OrderTotals, currency: Currency): Totals {
  return {
    subtotal: { amount: totals.subtotal, currency },
    discountTotal: { amount: totals.discountTotal, currency },
    taxTotal: { amount: totals.taxTotal, currency },
    chargeTotal: { amount: totals.chargeTotal, currency },
    total: { amount: totals.total, currency },
  };
}

export function viewLineMoney(line: LineMoney, currency: Currency, taxesIncluded: boolean): LineMoneyView {
  return {
    unitPrice: { amount: line.unitPrice, currency },
    subtotal: { amount: line.quantity * line.unitPrice, currency },
    discount: line.discount,
    tax: line.tax,
    total: { amount: paidForLine(line, taxesIncluded), currency },
  };
}
