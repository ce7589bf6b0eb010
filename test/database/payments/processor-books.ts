/** Payments at a processor: what its books say of them, and what ours say after these were adopted. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { adoptBooks } from '../../../db/payments/adoption.js';
import type { ProcessorBook } from '../../../domain/payments/adoption.js';
import type { DisputeStatus } from '../../../domain/payments/disputes.js';
import type { RefundStatus } from '../../../domain/payments/refunds.js';
import { Books } from '../books.js';
import { Sales } from '../refunds/sale.js';

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;
const at = '2026-11-20T10:00:00.000Z';

type Refund = ProcessorBook['refunds'][number];
type Dispute = ProcessorBook['disputes'][number];

export const refundOf = (amount: number, status: RefundStatus = 'succeeded', more: Partial<Refund> = {}): Refund => ({
  ...{ providerReference: newId('re'), refundId: null, amount, status, at },
  failure: status === 'failed' ? 'expired_or_canceled_card' : null,
  ...more,
});
export const disputeOf = (amount: number, status: DisputeStatus, more: Partial<Dispute> = {}): Dispute => ({
  ...{
    providerReference: newId('dp'),
    amount,
    currency: 'USD',
    reason: 'fraudulent',
    status,
    openedAt: at,
    closedAt: null,
  },
  refundable: status !== 'open' && status !== 'lost',
  ...more,
});

/** Opens the books for the tests of one file. */
export function processorBooks() {
  let opened: { readonly books: Books; readonly sales: Sales } | null = null;
  beforeAll(async () => {
    const books = await Books.open();
    opened = { books, sales: new Sales(books) };
  });
  afterAll(() => opened?.books.close());
  const own = {
    get books(): Books {
      return running().books;
    },
    get sales(): Sales {
      return running().sales;
    },
  };
  function running() {
    if (opened === null) throw new Error('the books are not open yet: use them inside a test');
    return opened;
  }

  /** The processor's books of one payment, read now. */
  async function bookOf(paymentId: string | null, more: Partial<ProcessorBook>): Promise<ProcessorBook> {
    const [row] = await own.books.sql<{ readAt: string }[]>`select clock_timestamp()::text as "readAt"`;
    return {
      ...{ gateway: 'sandbox', authorizationId: `auth_${paymentId}`, paymentId: null, readAt: row?.readAt ?? '' },
      ...{ refundable: true, refunds: [], disputes: [], ...more },
    };
  }
  async function adopt(paymentId: string | null, more: Partial<ProcessorBook>) {
    const [adopted] = await adoptBooks(own.books.sql, [await bookOf(paymentId, more)]);
    return adopted;
  }
  async function sold(amount: number, email: string | null = null) {
    const sku = await own.books.newSku(10);
    const line = { quantity: 1, unitPrice: amount, discount: 0, tax: 0 };
    return { sku, ...(await own.sales.order([sku], { lines: [line] }, 'card', email)) };
  }
  async function payment(id: string | null) {
    const [row] = await own.books.sql`
    select status, refunded::int, refund_reserved::int as reserved, disputed::int, refundable
      from payments where id = ${id ?? ''}`;
    return row;
  }
  const refundsOf = (paymentId: string | null) => own.books.sql`
  select amount::int, status, origin, restocked, failure_code as failure from refunds
   where payment_id = ${paymentId ?? ''} order by created_at, amount`;
  const reviewsOf = (subject: string) => own.books.sql`
  select kind, status, resolution->>'note' as note from manual_reviews where subject = ${subject} order by created_at`;

  return { own, adopt, bookOf, sold, payment, refundsOf, reviewsOf };
}
