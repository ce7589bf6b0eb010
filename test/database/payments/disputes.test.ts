/** Disputes hold money back, are decided once, and never touch stock. */
import { describe, expect, test } from 'vitest';
import { adoptBooks } from '../../../db/payments/adoption.js';
import { getDispute } from '../../../db/payments/disputes.js';
import { getPayment } from '../../../db/payments/queries.js';
import { disputeOf, processorBooks } from './processor-books.js';

const { own, adopt, bookOf, sold, payment, reviewsOf } = processorBooks();

describe('a dispute', () => {
  test('that is open freezes refunds, holds its money, opens a review and tells the managers; stock stays', async () => {
    const { sku, orderId, paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'open');
    await adopt(paymentId, { refundable: false, disputes: [dispute] });
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', disputed: 1000, refundable: false });
    expect((await own.sales.begin({ orderId })).result).toMatchObject({ refusal: { code: 'payment_disputed' } });
    const [row] = await own.books.sql<{ id: string; orderId: string; status: string }[]>`
      select id, order_id as "orderId", status from disputes where payment_id = ${paymentId}`;
    expect(row).toMatchObject({ orderId, status: 'open' });
    expect(row?.id).toMatch(/^dsp_[0-9a-f]{32}$/);
    const found = await getPayment(own.books.connection.db, paymentId ?? '');
    expect(found?.disputes).toEqual([await getDispute(own.books.connection.db, row?.id ?? '')]);
    expect(await getPayment(own.books.connection.db, (await sold(100)).paymentId ?? '')).toMatchObject({
      disputes: [],
    });
    expect(await reviewsOf(`dispute/${row?.id}`)).toMatchObject([{ kind: 'dispute', status: 'open' }]);
    const notices = await own.books.sql`
      select payload->>'status' as status from outbox where topic = 'notice' and payload->>'disputeId' = ${row?.id ?? ''}`;
    expect(notices).toEqual([{ status: 'open' }]);
    expect((await own.books.levels(sku))[0]).toMatchObject({ onHand: 9 });
    const [entry] = await own.books.sql`
      select reason, from_status as "from", to_status as "to" from order_events where order_id = ${orderId} order by id desc limit 1`;
    expect(entry).toEqual({ reason: 'dispute', from: 'confirmed', to: 'confirmed' });
  });

  test('that is won restores everything, and its review is closed', async () => {
    const { orderId, paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'open');
    await adopt(paymentId, { refundable: false, disputes: [dispute] });
    await adopt(paymentId, { disputes: [{ ...dispute, status: 'won', refundable: true }] });
    expect(await payment(paymentId)).toMatchObject({ disputed: 0, refundable: true });
    const [row] = await own.books.sql<{ id: string; closedAt: string | null }[]>`
      select id, closed_at as "closedAt" from disputes where payment_id = ${paymentId}`;
    expect(row?.closedAt).not.toBeNull();
    expect(await reviewsOf(`dispute/${row?.id}`)).toEqual([
      { kind: 'dispute', status: 'resolved', note: 'the dispute is won' },
    ]);
    expect((await own.sales.begin({ orderId })).result.outcome).toBe('done');
  });

  test('that is an inquiry moves nothing, and becomes a dispute with a review of its own', async () => {
    const { paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'inquiry');
    await adopt(paymentId, { disputes: [dispute] });
    expect(await payment(paymentId)).toMatchObject({ disputed: 0, refundable: true });
    await adopt(paymentId, { refundable: false, disputes: [{ ...dispute, status: 'open', refundable: false }] });
    expect(await payment(paymentId)).toMatchObject({ disputed: 1000, refundable: false });
    const [row] = await own.books.sql<{ id: string }[]>`select id from disputes where payment_id = ${paymentId}`;
    expect((await reviewsOf(`dispute/${row?.id}`)).map(({ status }) => status)).toEqual(['resolved', 'open']);
  });

  test('that is lost after a partial refund takes what is left, and no more', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await own.sales.refunded({ orderId }, { amount: 400 });
    const dispute = disputeOf(1000, 'lost');
    await adopt(paymentId, { disputes: [dispute] });
    expect(await payment(paymentId)).toMatchObject({ refunded: 400, disputed: 600, refundable: true });
    expect((await own.sales.begin({ orderId }, { amount: 1 })).result).toMatchObject({
      refusal: { code: 'over_refund', extensions: { available: 0 } },
    });
    // The refund fails late: its money is the bank's now.
    await own.sales.fail(id, null);
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, disputed: 1000 });
  });

  test('that was decided is not opened again by an older look', async () => {
    const { paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'open');
    const older = await bookOf(paymentId, { refundable: false, disputes: [dispute] });
    await adopt(paymentId, { disputes: [{ ...dispute, status: 'won', refundable: true }] });
    // It is read again instead.
    expect(await adoptBooks(own.books.sql, [older])).toEqual([{ outcome: 'waiting', workflows: [] }]);
    await adopt(paymentId, { disputes: [dispute] });
    const [row] = await own.books.sql`select status from disputes where payment_id = ${paymentId}`;
    expect(row).toEqual({ status: 'won' });
    expect(await payment(paymentId)).toMatchObject({ disputed: 0, refundable: true });
  });
});
