/** What a processor's books say becomes ours: in any order, however often, and never more than was captured. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adoptBooks } from '../../../db/payments/adoption.js';
import type { DisputeStatus } from '../../../domain/payments/disputes.js';
import type { RefundStatus } from '../../../domain/payments/refunds.js';
import { must } from '../refunds/sale.js';
import { disputeOf, newId, processorBooks, refundOf } from './processor-books.js';

const { own, adopt, bookOf, sold, payment, refundsOf, reviewsOf } = processorBooks();

describe('a refund that somebody made in the processor’s own pages', () => {
  test('is booked on payment and order, mailed, on the timeline, and moves no stock', async () => {
    const { sku, orderId, paymentId } = await sold(1000, 'ada@example.com');
    const refund = refundOf(400);
    expect(await adopt(paymentId, { refunds: [refund] })).toEqual({ outcome: 'done', workflows: [] });
    expect(await payment(paymentId)).toMatchObject({ status: 'partially_refunded', refunded: 400, reserved: 0 });
    expect(await own.sales.orderRow(orderId)).toMatchObject({ status: 'partially_refunded', refunded: 400 });
    expect(await refundsOf(paymentId)).toEqual([
      { amount: 400, status: 'succeeded', origin: 'processor', restocked: false, failure: null },
    ]);
    expect((await own.books.levels(sku))[0]?.onHand).toBe(9);
    const [entry] = await own.books.sql`
      select reason, actor from order_events where order_id = ${orderId} order by id desc limit 1`;
    expect(entry).toEqual({ reason: 'refunded', actor: 'processor:sandbox' });
    const mails = await own.books.sql`
      select from outbox where topic = 'mail' and payload->>'refundId' in (select id from refunds where order_id = ${orderId})`;
    expect(mails).toHaveLength(1);
    expect(await adopt(paymentId, { refunds: [refund] })).toEqual({ outcome: 'same', workflows: [] });
  });

  test('is booked once, however many look at once', async () => {
    const { orderId, paymentId } = await sold(1000);
    const book = await bookOf(paymentId, { refunds: [refundOf(300), refundOf(200)] });
    const other = own.books.another(4);
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => adoptBooks(n % 2 ? own.books.sql : other.sql, [book, book])),
    );
    expect(await own.sales.orderRow(orderId)).toMatchObject({ refunded: 500, reserved: 0 });
    expect(await refundsOf(paymentId)).toHaveLength(2);
  });

  test('reserves its money while the processor has not settled it, and frees it where it fails', async () => {
    const { paymentId } = await sold(1000);
    const refund = refundOf(1000, 'pending');
    await adopt(paymentId, { refunds: [refund] });
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', refunded: 0, reserved: 1000 });
    expect((await own.sales.begin({ paymentId: paymentId ?? '' })).result).toMatchObject({
      refusal: { code: 'over_refund' },
    });
    await adopt(paymentId, { refunds: [{ ...refund, status: 'failed', failure: 'declined' }] });
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, reserved: 0 });
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'failed', failure: 'declined' }]);
  });

  test('waits while refunds of ours have reserved its money, and is booked when one is free', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await own.sales.begin({ orderId });
    const refund = refundOf(600);
    expect(await adopt(paymentId, { refunds: [refund] })).toMatchObject({ outcome: 'waiting' });
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, reserved: 1000 });
    // The processor refuses ours: less is left there.
    await own.sales.fail(id);
    expect(await adopt(paymentId, { refunds: [refund] })).toMatchObject({ outcome: 'done' });
    expect(await payment(paymentId)).toMatchObject({ status: 'partially_refunded', refunded: 600, reserved: 0 });
  });

  test('of a payment without an order is booked', async () => {
    const paymentId = await own.sales.payment(500);
    await adopt(paymentId, { refunds: [refundOf(500)] });
    expect(await payment(paymentId)).toMatchObject({ status: 'refunded', refunded: 500 });
  });
});

describe('a refund of ours', () => {
  test('that fails days after it succeeded is refundable again, opens a review, and its goods stay', async () => {
    const { sku, orderId, paymentId } = await sold(1000);
    const { id, result } = await own.sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }], restock: true });
    must(result);
    const reference = newId('re');
    await own.sales.settle(id, 0, reference);
    expect(await own.sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
    await adopt(paymentId, { refunds: [refundOf(1000, 'failed', { providerReference: reference, refundId: id })] });
    expect(await own.sales.orderRow(orderId)).toMatchObject({ status: 'confirmed', refunded: 0, reserved: 0 });
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', refunded: 0 });
    expect((await own.books.levels(sku))[0]?.onHand).toBe(10);
    expect(await reviewsOf(`refund/${id}`)).toMatchObject([{ kind: 'refund_failed', status: 'open' }]);
    expect((await own.sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }] })).result.outcome).toBe('done');
  });

  test('that is booked already stays one refund, however often the processor reports it', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await own.sales.begin({ orderId }, { amount: 400 });
    const reference = newId('re');
    await own.sales.settle(id, 0, reference);
    for (let report = 0; report < 3; report++) {
      const refund = refundOf(400, 'succeeded', { providerReference: reference, refundId: id });
      expect(await adopt(paymentId, { refunds: [refund] })).toEqual({ outcome: 'same', workflows: [] });
    }
    expect(await refundsOf(paymentId)).toMatchObject([{ amount: 400, status: 'succeeded', origin: 'holdfast' }]);
    expect(await payment(paymentId)).toMatchObject({ refunded: 400, reserved: 0 });
  });

  test('that is pending is its workflow’s: it is told, and books the answer itself', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await own.sales.begin({ orderId });
    for (const status of ['succeeded', 'failed'] as const)
      expect(await adopt(paymentId, { refunds: [refundOf(1000, status, { refundId: id })] })).toEqual({
        outcome: 'done',
        workflows: [`refund/${id}`],
      });
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, reserved: 1000 });
  });

  test('that a person closed without an answer is booked if the money went back after all, with its goods', async () => {
    const { sku, orderId, paymentId } = await sold(1000);
    const { id, result } = await own.sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }], restock: true });
    must(result);
    await own.sales.fail(id);
    await adopt(paymentId, { refunds: [refundOf(1000, 'succeeded', { refundId: id })] });
    expect(await own.sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
    expect(await own.sales.refundRow(id)).toMatchObject({ status: 'succeeded', restocked: true });
    expect((await own.books.levels(sku))[0]?.onHand).toBe(10);
    // Its workflow may still wait for a person: another attempt finds it done.
    expect((await own.sales.retry(id, 1)).state).toMatchObject({ status: 'succeeded' });
  });

  test('that a person closed while it was on its way is read again until it is decided', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await own.sales.begin({ orderId });
    await own.sales.fail(id);
    const pending = refundOf(1000, 'pending', { refundId: id });
    expect(await adopt(paymentId, { refunds: [pending] })).toMatchObject({ outcome: 'waiting' });
    await adopt(paymentId, { refunds: [{ ...pending, status: 'succeeded' }] });
    expect(await own.sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
  });

  test('that went back after its units were refunded otherwise is booked without them', async () => {
    const sku = await own.books.newSku(10);
    const line = { quantity: 2, unitPrice: 500, discount: 0, tax: 0 };
    const { orderId, paymentId } = await own.sales.order([sku], { lines: [line] });
    const { id } = await own.sales.begin({ orderId }, { lines: [{ sku, quantity: 2 }], amount: 300, restock: true });
    await own.sales.fail(id);
    await own.sales.refunded({ orderId }, { lines: [{ sku, quantity: 2 }], amount: 500, restock: true });
    await adopt(paymentId, { refunds: [refundOf(300, 'succeeded', { refundId: id })] });
    expect(await own.sales.refundRow(id)).toMatchObject({ status: 'succeeded', lines: [], restocked: false });
    expect(await payment(paymentId)).toMatchObject({ refunded: 800 });
    expect((await own.books.levels(sku))[0]?.onHand).toBe(10);
  });
});

describe('the undo of a charge', () => {
  const failed = { status: 'failed', failure: 'expired_or_canceled_card' } as const;
  const reviewed = [{ kind: 'refund_failed', status: 'open' }];

  test('is no refund: its books change nothing, and a person looks where its money comes back days later', async () => {
    const paymentId = await own.sales.payment(700);
    await own.books.sql`update payments set status = 'refunded', refunded = amount where id = ${paymentId}`;
    const undo = refundOf(700);
    await adopt(paymentId, { refunds: [undo] });
    expect(await payment(paymentId)).toMatchObject({ status: 'refunded', refunded: 700 });
    expect(await refundsOf(paymentId)).toEqual([]);
    expect(await reviewsOf(`payment/${paymentId}`)).toEqual([]);
    for (let look = 1; look <= 2; look++) await adopt(paymentId, { refunds: [{ ...undo, ...failed }] });
    expect(await reviewsOf(`payment/${paymentId}`)).toMatchObject(reviewed);
  });

  test('of the first card, before the backup paid, is looked at by a person too', async () => {
    const paymentId = await own.sales.payment(700);
    const undo = refundOf(700);
    const first = { authorizationId: `auth_first_${paymentId}`, paymentId, refundable: true };
    await adopt(paymentId, { ...first, refunds: [undo] });
    expect(await reviewsOf(`payment/${paymentId}`)).toEqual([]);
    await adopt(paymentId, { ...first, refunds: [{ ...undo, ...failed }] });
    expect(await reviewsOf(`payment/${paymentId}`)).toMatchObject(reviewed);
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', refunded: 0 });
  });

  test('of a payment that failed is looked at by a person too', async () => {
    const paymentId = newId('pay');
    await own.books.sql`
      insert into payments (id, status, amount, currency, provider_reference)
      values (${paymentId}, 'failed', 700, 'USD', null)`;
    await adopt(paymentId, { paymentId, refunds: [refundOf(700, 'failed')] });
    expect(await reviewsOf(`payment/${paymentId}`)).toMatchObject(reviewed);
  });
});

test('a payment without an order that is being charged has no row, and is its workflow’s all the same', async () => {
  const paymentId = newId('pay');
  expect(await adopt(paymentId, { paymentId, refunds: [refundOf(10)] })).toEqual({
    outcome: 'in_flight',
    workflows: [`payment/${paymentId}`],
  });
});

test('a payment that is being charged is its workflow’s, and one of somebody else is nobody’s', async () => {
  const [paymentId, ofOrder, orderId] = [newId('pay'), newId('pay'), newId('ord')];
  await own.books.sql`
    insert into payments (id, status, amount, currency, order_id)
    values (${paymentId}, 'pending', 100, 'USD', null), (${ofOrder}, 'pending', 100, 'USD', ${orderId})`;
  await own.books.sql`
    insert into provider_operations (payment_id, card, gateway, provider_id)
    values (${paymentId}, 'primary', 'stripe', ${`pi_${paymentId}`}), (${ofOrder}, 'primary', 'stripe', ${`pi_${ofOrder}`})`;
  const stripe = await Promise.all(
    [paymentId, ofOrder, 'pay_nobody'].map(async (id) => ({
      ...(await bookOf(id, {})),
      gateway: 'stripe' as const,
      authorizationId: `pi_${id}`,
    })),
  );
  expect(await adoptBooks(own.books.sql, stripe)).toEqual([
    { outcome: 'in_flight', workflows: [`payment/${paymentId}`] },
    { outcome: 'in_flight', workflows: [`order/${orderId}`] },
    { outcome: 'unknown', workflows: [] },
  ]);
});

test('any sequence of refunds and disputes at the processor keeps the sums: nothing exceeds what was captured', async () => {
  const refundStatus = fc.constantFrom<RefundStatus>('pending', 'succeeded', 'failed');
  const disputeStatus = fc.constantFrom<DisputeStatus>('inquiry', 'open', 'won', 'lost', 'closed');
  const look = fc.record({
    refunds: fc.array(fc.record({ number: fc.nat(3), status: refundStatus }), { maxLength: 3 }),
    disputes: fc.array(fc.record({ number: fc.nat(1), status: disputeStatus }), { maxLength: 2 }),
    ours: fc.constantFrom('none', 'begin', 'settle', 'fail'),
  });
  const amounts = fc.tuple(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 600 }),
  );
  await fc.assert(
    fc.asyncProperty(amounts, fc.array(look, { minLength: 1, maxLength: 6 }), async (sizes, looks) => {
      const { orderId, paymentId } = await sold(1000);
      const refunds = sizes.map((amount) => refundOf(amount, 'pending'));
      const disputes = [disputeOf(1000, 'open'), disputeOf(300, 'open')];
      let ours: string | null = null;
      for (const { refunds: changed, disputes: moved, ours: act } of looks) {
        if (act === 'begin' && ours === null) {
          const { id, result } = await own.sales.begin({ orderId }, { amount: 250 });
          if (result.outcome === 'done') ours = id;
        } else if (act === 'settle' && ours !== null) await own.sales.settle(ours);
        else if (act === 'fail' && ours !== null) await own.sales.fail(ours, null);
        await adopt(paymentId, {
          refundable: moved.length === 0,
          refunds: [...new Map(changed.map(({ number, status }) => [number, status]))].flatMap(([number, status]) => {
            const refund = refunds[number];
            return refund === undefined ? [] : [{ ...refund, status }];
          }),
          disputes: [...new Map(moved.map(({ number, status }) => [number, status]))].flatMap(([number, status]) => {
            const dispute = disputes[number];
            return dispute === undefined ? [] : [{ ...dispute, status, refundable: status !== 'open' }];
          }),
        });
        const [sums] = await own.books.sql`
          select p.refunded = coalesce(sum(r.amount) filter (where r.status = 'succeeded'), 0) as refunded,
                 p.refund_reserved = coalesce(sum(r.amount) filter (where r.status = 'pending'), 0) as reserved,
                 p.refunded + p.refund_reserved + p.disputed <= p.amount as within,
                 p.refunded = o.refunded_amount and p.refund_reserved = o.refund_reserved as same
            from payments p join orders o on o.payment_id = p.id left join refunds r on r.payment_id = p.id
           where p.id = ${paymentId} group by p.id, o.id`;
        expect(sums).toEqual({ refunded: true, reserved: true, within: true, same: true });
      }
    }),
    { numRuns: 40 },
  );
});
