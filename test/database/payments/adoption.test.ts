/** What a processor's books say becomes ours: in any order, however often, and never more than was captured. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adoptBooks, closeReports, leaveToPerson, openReports } from '../../../db/payments/adoption.js';
import { getDispute } from '../../../db/payments/disputes.js';
import { keepEvents } from '../../../db/payments/inbox.js';
import { getPayment } from '../../../db/payments/queries.js';
import type { ProcessorBook } from '../../../domain/payments/adoption.js';
import type { DisputeStatus } from '../../../domain/payments/disputes.js';
import type { RefundStatus } from '../../../domain/payments/refunds.js';
import { Books } from '../books.js';
import { must, Sales } from '../refunds/sale.js';

let books: Books;
let sales: Sales;
beforeAll(async () => {
  books = await Books.open();
  sales = new Sales(books);
});
afterAll(() => books.close());

const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;
const at = '2026-11-20T10:00:00.000Z';

type Refund = ProcessorBook['refunds'][number];
type Dispute = ProcessorBook['disputes'][number];

const refundOf = (amount: number, status: RefundStatus = 'succeeded', more: Partial<Refund> = {}): Refund => ({
  ...{ providerReference: newId('re'), refundId: null, amount, status, at },
  failure: status === 'failed' ? 'expired_or_canceled_card' : null,
  ...more,
});
const disputeOf = (amount: number, status: DisputeStatus, more: Partial<Dispute> = {}): Dispute => ({
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

/** The processor's books of one payment, read now. */
async function bookOf(paymentId: string | null, more: Partial<ProcessorBook>): Promise<ProcessorBook> {
  const [row] = await books.sql<{ readAt: string }[]>`select clock_timestamp()::text as "readAt"`;
  return {
    ...{ gateway: 'sandbox', authorizationId: `auth_${paymentId}`, paymentId: null, readAt: row?.readAt ?? '' },
    ...{ refundable: true, refunds: [], disputes: [], ...more },
  };
}
async function adopt(paymentId: string | null, more: Partial<ProcessorBook>) {
  const [adopted] = await adoptBooks(books.sql, [await bookOf(paymentId, more)]);
  return adopted;
}
async function sold(amount: number, email: string | null = null) {
  const sku = await books.newSku(10);
  const line = { quantity: 1, unitPrice: amount, discount: 0, tax: 0 };
  return { sku, ...(await sales.order([sku], { lines: [line] }, 'card', email)) };
}
async function payment(id: string | null) {
  const [row] = await books.sql`
    select status, refunded::int, refund_reserved::int as reserved, disputed::int, refundable
      from payments where id = ${id ?? ''}`;
  return row;
}
const refundsOf = (paymentId: string | null) => books.sql`
  select amount::int, status, origin, restocked, failure_code as failure from refunds
   where payment_id = ${paymentId ?? ''} order by created_at, amount`;
const reviewsOf = (subject: string) => books.sql`
  select kind, status, resolution->>'note' as note from manual_reviews where subject = ${subject} order by created_at`;

describe('a refund that somebody made in the processor’s own pages', () => {
  test('is booked on payment and order, mailed, on the timeline, and moves no stock', async () => {
    const { sku, orderId, paymentId } = await sold(1000, 'ada@example.com');
    const refund = refundOf(400);
    expect(await adopt(paymentId, { refunds: [refund] })).toEqual({ outcome: 'done', workflows: [] });
    expect(await payment(paymentId)).toMatchObject({ status: 'partially_refunded', refunded: 400, reserved: 0 });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'partially_refunded', refunded: 400 });
    expect(await refundsOf(paymentId)).toEqual([
      { amount: 400, status: 'succeeded', origin: 'processor', restocked: false, failure: null },
    ]);
    expect((await books.levels(sku))[0]?.onHand).toBe(9);
    const [entry] = await books.sql`
      select reason, actor from order_events where order_id = ${orderId} order by id desc limit 1`;
    expect(entry).toEqual({ reason: 'refunded', actor: 'processor:sandbox' });
    const mails = await books.sql`
      select from outbox where topic = 'mail' and payload->>'refundId' in (select id from refunds where order_id = ${orderId})`;
    expect(mails).toHaveLength(1);
    expect(await adopt(paymentId, { refunds: [refund] })).toEqual({ outcome: 'same', workflows: [] });
  });

  test('is booked once, however many look at once', async () => {
    const { orderId, paymentId } = await sold(1000);
    const book = await bookOf(paymentId, { refunds: [refundOf(300), refundOf(200)] });
    const other = books.another(4);
    await Promise.all(Array.from({ length: 20 }, (_, n) => adoptBooks(n % 2 ? books.sql : other.sql, [book, book])));
    expect(await sales.orderRow(orderId)).toMatchObject({ refunded: 500, reserved: 0 });
    expect(await refundsOf(paymentId)).toHaveLength(2);
  });

  test('reserves its money while the processor has not settled it, and frees it where it fails', async () => {
    const { paymentId } = await sold(1000);
    const refund = refundOf(1000, 'pending');
    await adopt(paymentId, { refunds: [refund] });
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', refunded: 0, reserved: 1000 });
    expect((await sales.begin({ paymentId: paymentId ?? '' })).result).toMatchObject({
      refusal: { code: 'over_refund' },
    });
    await adopt(paymentId, { refunds: [{ ...refund, status: 'failed', failure: 'declined' }] });
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, reserved: 0 });
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'failed', failure: 'declined' }]);
  });

  test('waits while refunds of ours have reserved its money, and is booked when one is free', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await sales.begin({ orderId });
    const refund = refundOf(600);
    expect(await adopt(paymentId, { refunds: [refund] })).toMatchObject({ outcome: 'waiting' });
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, reserved: 1000 });
    // The processor refuses ours: less is left there.
    await sales.fail(id);
    expect(await adopt(paymentId, { refunds: [refund] })).toMatchObject({ outcome: 'done' });
    expect(await payment(paymentId)).toMatchObject({ status: 'partially_refunded', refunded: 600, reserved: 0 });
  });

  test('of a payment without an order is booked', async () => {
    const paymentId = await sales.payment(500);
    await adopt(paymentId, { refunds: [refundOf(500)] });
    expect(await payment(paymentId)).toMatchObject({ status: 'refunded', refunded: 500 });
  });
});

describe('a refund of ours', () => {
  test('that fails days after it succeeded is refundable again, opens a review, and its goods stay', async () => {
    const { sku, orderId, paymentId } = await sold(1000);
    const { id, result } = await sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }], restock: true });
    must(result);
    const reference = newId('re');
    await sales.settle(id, 0, reference);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
    await adopt(paymentId, { refunds: [refundOf(1000, 'failed', { providerReference: reference, refundId: id })] });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'confirmed', refunded: 0, reserved: 0 });
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', refunded: 0 });
    expect((await books.levels(sku))[0]?.onHand).toBe(10);
    expect(await reviewsOf(`refund/${id}`)).toMatchObject([{ kind: 'refund_failed', status: 'open' }]);
    expect((await sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }] })).result.outcome).toBe('done');
  });

  test('that is pending is its workflow’s: it is told, and books the answer itself', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await sales.begin({ orderId });
    for (const status of ['succeeded', 'failed'] as const)
      expect(await adopt(paymentId, { refunds: [refundOf(1000, status, { refundId: id })] })).toEqual({
        outcome: 'done',
        workflows: [`refund/${id}`],
      });
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, reserved: 1000 });
  });

  test('that a person closed without an answer is booked if the money went back after all, with its goods', async () => {
    const { sku, orderId, paymentId } = await sold(1000);
    const { id, result } = await sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }], restock: true });
    must(result);
    await sales.fail(id);
    await adopt(paymentId, { refunds: [refundOf(1000, 'succeeded', { refundId: id })] });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
    expect(await sales.refundRow(id)).toMatchObject({ status: 'succeeded', restocked: true });
    expect((await books.levels(sku))[0]?.onHand).toBe(10);
    // Its workflow may still wait for a person: another attempt finds it done.
    expect((await sales.retry(id, 1)).state).toMatchObject({ status: 'succeeded' });
  });

  test('that a person closed while it was on its way is read again until it is decided', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await sales.begin({ orderId });
    await sales.fail(id);
    const pending = refundOf(1000, 'pending', { refundId: id });
    expect(await adopt(paymentId, { refunds: [pending] })).toMatchObject({ outcome: 'waiting' });
    await adopt(paymentId, { refunds: [{ ...pending, status: 'succeeded' }] });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
  });

  test('that went back after its units were refunded otherwise is booked without them', async () => {
    const sku = await books.newSku(10);
    const line = { quantity: 2, unitPrice: 500, discount: 0, tax: 0 };
    const { orderId, paymentId } = await sales.order([sku], { lines: [line] });
    const { id } = await sales.begin({ orderId }, { lines: [{ sku, quantity: 2 }], amount: 300, restock: true });
    await sales.fail(id);
    await sales.refunded({ orderId }, { lines: [{ sku, quantity: 2 }], amount: 500, restock: true });
    await adopt(paymentId, { refunds: [refundOf(300, 'succeeded', { refundId: id })] });
    expect(await sales.refundRow(id)).toMatchObject({ status: 'succeeded', lines: [], restocked: false });
    expect(await payment(paymentId)).toMatchObject({ refunded: 800 });
    expect((await books.levels(sku))[0]?.onHand).toBe(10);
  });
});

describe('the undo of a charge', () => {
  const failed = { status: 'failed', failure: 'expired_or_canceled_card' } as const;
  const reviewed = [{ kind: 'refund_failed', status: 'open' }];

  test('is no refund: its books change nothing, and a person looks where its money comes back days later', async () => {
    const paymentId = await sales.payment(700);
    await books.sql`update payments set status = 'refunded', refunded = amount where id = ${paymentId}`;
    const undo = refundOf(700);
    await adopt(paymentId, { refunds: [undo] });
    expect(await payment(paymentId)).toMatchObject({ status: 'refunded', refunded: 700 });
    expect(await refundsOf(paymentId)).toEqual([]);
    expect(await reviewsOf(`payment/${paymentId}`)).toEqual([]);
    for (let look = 1; look <= 2; look++) await adopt(paymentId, { refunds: [{ ...undo, ...failed }] });
    expect(await reviewsOf(`payment/${paymentId}`)).toMatchObject(reviewed);
  });

  test('of the first card, before the backup paid, is looked at by a person too', async () => {
    const paymentId = await sales.payment(700);
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
    await books.sql`
      insert into payments (id, status, amount, currency, provider_reference)
      values (${paymentId}, 'failed', 700, 'USD', null)`;
    await adopt(paymentId, { paymentId, refunds: [refundOf(700, 'failed')] });
    expect(await reviewsOf(`payment/${paymentId}`)).toMatchObject(reviewed);
  });
});

describe('a dispute', () => {
  test('that is open freezes refunds, holds its money, opens a review and tells the managers; stock stays', async () => {
    const { sku, orderId, paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'open');
    await adopt(paymentId, { refundable: false, disputes: [dispute] });
    expect(await payment(paymentId)).toMatchObject({ status: 'captured', disputed: 1000, refundable: false });
    expect((await sales.begin({ orderId })).result).toMatchObject({ refusal: { code: 'payment_disputed' } });
    const [row] = await books.sql<{ id: string; orderId: string; status: string }[]>`
      select id, order_id as "orderId", status from disputes where payment_id = ${paymentId}`;
    expect(row).toMatchObject({ orderId, status: 'open' });
    expect(row?.id).toMatch(/^dsp_[0-9a-f]{32}$/);
    const found = await getPayment(books.connection.db, paymentId ?? '');
    expect(found?.disputes).toEqual([await getDispute(books.connection.db, row?.id ?? '')]);
    expect(await getPayment(books.connection.db, (await sold(100)).paymentId ?? '')).toMatchObject({ disputes: [] });
    expect(await reviewsOf(`dispute/${row?.id}`)).toMatchObject([{ kind: 'dispute', status: 'open' }]);
    const notices = await books.sql`
      select payload->>'status' as status from outbox where topic = 'notice' and payload->>'disputeId' = ${row?.id ?? ''}`;
    expect(notices).toEqual([{ status: 'open' }]);
    expect((await books.levels(sku))[0]).toMatchObject({ onHand: 9 });
    const [entry] = await books.sql`
      select reason, from_status as "from", to_status as "to" from order_events where order_id = ${orderId} order by id desc limit 1`;
    expect(entry).toEqual({ reason: 'dispute', from: 'confirmed', to: 'confirmed' });
  });

  test('that is won restores everything, and its review is closed', async () => {
    const { orderId, paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'open');
    await adopt(paymentId, { refundable: false, disputes: [dispute] });
    await adopt(paymentId, { disputes: [{ ...dispute, status: 'won', refundable: true }] });
    expect(await payment(paymentId)).toMatchObject({ disputed: 0, refundable: true });
    const [row] = await books.sql<{ id: string; closedAt: string | null }[]>`
      select id, closed_at as "closedAt" from disputes where payment_id = ${paymentId}`;
    expect(row?.closedAt).not.toBeNull();
    expect(await reviewsOf(`dispute/${row?.id}`)).toEqual([
      { kind: 'dispute', status: 'resolved', note: 'the dispute is won' },
    ]);
    expect((await sales.begin({ orderId })).result.outcome).toBe('done');
  });

  test('that is an inquiry moves nothing, and becomes a dispute with a review of its own', async () => {
    const { paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'inquiry');
    await adopt(paymentId, { disputes: [dispute] });
    expect(await payment(paymentId)).toMatchObject({ disputed: 0, refundable: true });
    await adopt(paymentId, { refundable: false, disputes: [{ ...dispute, status: 'open', refundable: false }] });
    expect(await payment(paymentId)).toMatchObject({ disputed: 1000, refundable: false });
    const [row] = await books.sql<{ id: string }[]>`select id from disputes where payment_id = ${paymentId}`;
    expect((await reviewsOf(`dispute/${row?.id}`)).map(({ status }) => status)).toEqual(['resolved', 'open']);
  });

  test('that is lost after a partial refund takes what is left, and no more', async () => {
    const { orderId, paymentId } = await sold(1000);
    const { id } = await sales.refunded({ orderId }, { amount: 400 });
    const dispute = disputeOf(1000, 'lost');
    await adopt(paymentId, { disputes: [dispute] });
    expect(await payment(paymentId)).toMatchObject({ refunded: 400, disputed: 600, refundable: true });
    expect((await sales.begin({ orderId }, { amount: 1 })).result).toMatchObject({
      refusal: { code: 'over_refund', extensions: { available: 0 } },
    });
    // The refund fails late: its money is the bank's now.
    await sales.fail(id, null);
    expect(await payment(paymentId)).toMatchObject({ refunded: 0, disputed: 1000 });
  });

  test('that was decided is not opened again by an older look', async () => {
    const { paymentId } = await sold(1000);
    const dispute = disputeOf(1000, 'open');
    const older = await bookOf(paymentId, { refundable: false, disputes: [dispute] });
    await adopt(paymentId, { disputes: [{ ...dispute, status: 'won', refundable: true }] });
    // It is read again instead.
    expect(await adoptBooks(books.sql, [older])).toEqual([{ outcome: 'waiting', workflows: [] }]);
    await adopt(paymentId, { disputes: [dispute] });
    const [row] = await books.sql`select status from disputes where payment_id = ${paymentId}`;
    expect(row).toEqual({ status: 'won' });
    expect(await payment(paymentId)).toMatchObject({ disputed: 0, refundable: true });
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
  await books.sql`
    insert into payments (id, status, amount, currency, order_id)
    values (${paymentId}, 'pending', 100, 'USD', null), (${ofOrder}, 'pending', 100, 'USD', ${orderId})`;
  await books.sql`
    insert into provider_operations (payment_id, card, gateway, provider_id)
    values (${paymentId}, 'primary', 'stripe', ${`pi_${paymentId}`}), (${ofOrder}, 'primary', 'stripe', ${`pi_${ofOrder}`})`;
  const stripe = await Promise.all(
    [paymentId, ofOrder, 'pay_nobody'].map(async (id) => ({
      ...(await bookOf(id, {})),
      gateway: 'stripe' as const,
      authorizationId: `pi_${id}`,
    })),
  );
  expect(await adoptBooks(books.sql, stripe)).toEqual([
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
          const { id, result } = await sales.begin({ orderId }, { amount: 250 });
          if (result.outcome === 'done') ours = id;
        } else if (act === 'settle' && ours !== null) await sales.settle(ours);
        else if (act === 'fail' && ours !== null) await sales.fail(ours, null);
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
        const [sums] = await books.sql`
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

describe('a report of a processor', () => {
  const event = (type: string, paymentIntentId: string) => ({
    ...{ id: newId('evt'), type, created: 1, ofInterest: true, paymentIntentId, namesUs: false },
  });
  async function atStripe(status: string) {
    const [paymentId, providerId] = [newId('pay'), newId('pi')];
    await books.sql`
      insert into payments (id, status, amount, currency, gateway, provider_reference)
      values (${paymentId}, ${status}, 100, 'USD', 'stripe', ${providerId})`;
    return providerId;
  }
  const rowsAbout = (providerId: string) => books.sql<{ id: number }[]>`
    select id::float8 as id from outbox where topic = 'processor' and payload->>'providerId' = ${providerId} order by id`;

  test('queues one look for each event, and none for what we know already', async () => {
    const providerId = await atStripe('captured');
    const told = [event('payment_intent.succeeded', providerId), event('refund.created', providerId)];
    expect(await keepEvents(books.sql, [...told, ...told])).toEqual(['stored', 'stored', 'repeated', 'repeated']);
    expect(await keepEvents(books.sql, told)).toEqual(['repeated', 'repeated']);
    expect(await rowsAbout(providerId)).toHaveLength(1);
  });

  test('is read once for each payment, until it is handled', async () => {
    const providerId = await atStripe('captured');
    await keepEvents(books.sql, [event('refund.created', providerId), event('charge.refunded', providerId)]);
    const rowIds = (await rowsAbout(providerId)).map(({ id }) => id);
    const { payments } = await openReports(books.sql, rowIds);
    expect(payments).toEqual([{ gateway: 'stripe', providerId, rowIds, paymentId: expect.stringMatching(/^pay_/) }]);
    await closeReports(books.sql, payments);
    expect((await openReports(books.sql, rowIds)).payments).toEqual([]);
  });

  test('that cannot be adopted opens one review of its payment, which closes when it is adopted', async () => {
    const providerId = await atStripe('captured');
    await keepEvents(books.sql, [event('refund.created', providerId)]);
    const rowIds = (await rowsAbout(providerId)).map(({ id }) => id);
    const { payments } = await openReports(books.sql, rowIds);
    for (const reported of [...payments, ...payments])
      await leaveToPerson(books.sql, reported, { attempts: 11, lastError: 'no room' });
    const subject = `processor/stripe/${providerId}`;
    expect(await reviewsOf(subject)).toMatchObject([{ kind: 'adoption_failed', status: 'open' }]);
    expect((await openReports(books.sql, rowIds)).payments).toEqual([]);
    await closeReports(books.sql, payments);
    expect(await reviewsOf(subject)).toMatchObject([{ status: 'resolved' }]);
  });

  test('that came before our own answer is closed without a look once we know', async () => {
    const providerId = await atStripe('pending');
    await keepEvents(books.sql, [event('payment_intent.succeeded', providerId)]);
    const rowIds = (await rowsAbout(providerId)).map(({ id }) => id);
    expect(rowIds).toHaveLength(1);
    await books.sql`update payments set status = 'captured' where provider_reference = ${providerId}`;
    expect((await openReports(books.sql, rowIds)).payments).toEqual([]);
    const [row] = await books.sql`select sent_at is not null as handled from outbox where id = any(${rowIds})`;
    expect(row).toEqual({ handled: true });
  });
});
