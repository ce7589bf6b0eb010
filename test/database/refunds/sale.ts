/** Paid orders and payments, and the steps of their refunds. */
import { randomUUID } from 'node:crypto';
import { createOrderStore } from '../../../db/orders/store.js';
import { recordPayment } from '../../../db/payments/queries.js';
import { createRefundStore } from '../../../db/refunds/store.js';
import type { OrderMoney } from '../../../domain/orders/money.js';
import type { OrderStep, PaymentRecord } from '../../../domain/orders/steps.js';
import type { RefundRequest, RefundStep, RefundStepResult } from '../../../domain/payments/refunds.js';
import type { Books } from '../books.js';
import { orderOpening, stepBy } from '../orders/opening.js';

export const everything: RefundRequest = { amount: null, lines: [], charges: false, restock: false };
const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;
const noCharges = { charges: [], taxesIncluded: false, lines: [] } satisfies OrderMoney;

export interface Sale {
  readonly orderId: string;
  readonly paymentId: string | null;
}

export class Sales {
  private readonly orders;
  private readonly refunds;

  constructor(private readonly books: Books) {
    this.orders = createOrderStore(books.sql);
    this.refunds = createRefundStore(books.sql);
  }

  /** A confirmed order of these lines. @param method how it was paid */
  async order(
    skus: readonly string[],
    money: Partial<OrderMoney>,
    method: 'card' | 'external' = 'card',
    email: string | null = null,
  ): Promise<Sale> {
    const { lines, charges, taxesIncluded } = { ...noCharges, ...money };
    const opened = orderOpening(lines.map(({ quantity }, index) => ({ sku: skus[index] ?? '', quantity })));
    const { orderId } = opened;
    const paymentId = newId('pay');
    const open: OrderStep = {
      ...opened,
      customer: email === null ? null : { email },
      lines: opened.lines.map((line, index) => {
        const { unitPrice = 0, discount = 0, tax = 0 } = lines[index] ?? {};
        return { ...line, unitPrice: { amount: unitPrice, currency: 'USD' }, discount, tax };
      }),
      money: {
        charges: charges.map((charge) => ({ kind: 'shipping', name: 'Post', ...charge })),
        taxesIncluded,
        expectedTotal: null,
      },
      confirming: true,
      payment: method === 'card' ? { paymentId, choice: { cardToken: 'tok_visa' } } : null,
    };
    const begun = must(await this.orders.apply(open));
    const byCard = begun.state.inFlight !== null;
    const payment = byCard ? captured(paymentId, orderId, begun.state.totalAmount) : null;
    must(await this.orders.apply({ step: 'settle', ...stepBy(orderId, 'settle'), payment, mails: [] }));
    return { orderId, paymentId: byCard ? paymentId : null };
  }

  /** A captured payment without an order. */
  async payment(amount: number): Promise<string> {
    const id = newId('pay');
    await recordPayment(this.books.sql, captured(id, null, amount), []);
    return id;
  }

  begin(of: { readonly orderId: string } | { readonly paymentId: string }, request: Partial<RefundRequest> = {}) {
    return this.beginAs(newId('rfd'), of, request);
  }

  async beginAs(
    refundId: string,
    of: { readonly orderId: string } | { readonly paymentId: string },
    request: Partial<RefundRequest>,
  ): Promise<{ readonly id: string; readonly result: RefundStepResult }> {
    const result = await this.step(refundId, {
      step: 'begin',
      ...{ orderId: null, paymentId: null, ...of },
      request: { ...everything, ...request },
      reason: 'does not fit',
      requestedAt: new Date().toISOString(),
    });
    return { id: refundId, result };
  }

  settle(refundId: string, attempt = 0, providerReference: string | null = null) {
    return this.step(refundId, { step: 'settle', attempt, providerReference });
  }

  fail(refundId: string, attempt: number | null = 0) {
    const failure = { code: 'expired_or_canceled_card', detail: 'the card has expired' };
    return this.step(refundId, { step: 'fail', attempt, providerReference: null, failure });
  }

  retry(refundId: string, attempt: number) {
    return this.step(refundId, { step: 'retry', attempt });
  }

  /** Begins and settles a refund. */
  async refunded(
    of: { readonly orderId: string } | { readonly paymentId: string },
    request: Partial<RefundRequest> = {},
  ) {
    const { id, result } = await this.begin(of, request);
    must(result);
    return { id, ...must(await this.settle(id)).state };
  }

  private step(refundId: string, step: DistributiveOmit<RefundStep, 'key' | 'actor' | 'traceId' | 'refundId'>) {
    return this.refunds.apply({ key: newId('key'), actor: 'test', traceId: '', refundId, ...step } as RefundStep);
  }

  async orderRow(orderId: string) {
    const [row] = await this.books.sql`
      select status, total_amount::int as total, refunded_amount::int as refunded, refund_reserved::int as reserved,
             charges_refunded as charges from orders where id = ${orderId}`;
    return row;
  }

  async paymentRow(paymentId: string | null) {
    const [row] = await this.books.sql`
      select status, refunded::int, refund_reserved::int as reserved from payments where id = ${paymentId ?? ''}`;
    return row;
  }

  async refundRow(refundId: string) {
    const [row] = await this.books.sql`
      select status, amount::int, lines, charges, restocked, attempts, gateway from refunds where id = ${refundId}`;
    return row;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** The result of a step that must be done. */
export function must<Result extends { readonly outcome: string }>(
  result: Result,
): Extract<Result, { outcome: 'done' }> {
  if (result.outcome !== 'done') throw new Error(JSON.stringify(result));
  return result as Extract<Result, { outcome: 'done' }>;
}

function captured(id: string, orderId: string | null, amount: number): PaymentRecord {
  return {
    ...{ id, status: 'captured', amount, currency: 'USD', orderId, customerId: null, email: null, reference: orderId },
    ...{ cardUsed: 'primary', fraudScore: 0.1, attempts: [], providerReference: `auth_${id}`, failure: null },
  };
}
