/** Refunds move order, payment, stock and timeline in one transaction, and never return more than was captured. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore } from '../../../db/orders/store.js';
import { createRefundStore } from '../../../db/refunds/store.js';
import { Books } from '../books.js';
import { orderOpening } from '../orders/opening.js';
import { everything, must, Sales } from './sale.js';

let books: Books;
let sales: Sales;
beforeAll(async () => {
  books = await Books.open();
  sales = new Sales(books);
});
afterAll(() => books.close());

const line = (quantity: number, unitPrice: number) => ({ quantity, unitPrice, discount: 0, tax: 0 });
async function sold(
  quantity: number,
  unitPrice: number,
  method: 'card' | 'external' = 'card',
  email: string | null = null,
) {
  const sku = await books.newSku(10);
  return { sku, ...(await sales.order([sku], { lines: [line(quantity, unitPrice)] }, method, email)) };
}
const onHand = async (sku: string) => (await books.levels(sku))[0]?.onHand;

describe('the amount of a refund', () => {
  test('is reserved before the processor is asked: fifty at once, by two processes, never exceed what was captured', async () => {
    const { orderId, paymentId } = await sold(1, 1000);
    const stores = [createRefundStore(books.sql), createRefundStore(books.another(4).sql)];
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        stores[index % 2]?.apply({
          ...{ key: randomUUID(), refundId: `rfd_${randomUUID()}`, actor: 'test', traceId: '', step: 'begin' },
          // Half of them by the order, half by its payment.
          ...(index % 4 < 2 ? { orderId, paymentId: null } : { orderId: null, paymentId }),
          request: { ...everything, amount: 60 },
          ...{ reason: 'torn', requestedAt: new Date().toISOString() },
        }),
      ),
    );
    expect(results.filter((result) => result?.outcome === 'done')).toHaveLength(16);
    for (const result of results)
      if (result?.outcome === 'refused')
        expect(result.refusal).toMatchObject({ code: 'over_refund', extensions: { available: 40 } });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'confirmed', refunded: 0, reserved: 960 });
    expect(await sales.paymentRow(paymentId)).toEqual({ status: 'captured', refunded: 0, reserved: 960 });
  });

  test('two refunds of 60 of 100 at once: one passes', async () => {
    const paymentId = await sales.payment(100);
    const both = await Promise.all([1, 2].map(() => sales.begin({ paymentId }, { amount: 60 })));
    expect(both.map(({ result }) => result.outcome).sort()).toEqual(['done', 'refused']);
  });

  test('is all that is left where none is given, and 0 is never asked for', async () => {
    const paymentId = await sales.payment(100);
    await sales.refunded({ paymentId }, { amount: 30 });
    expect((await sales.refunded({ paymentId })).amount).toBe(70);
    expect((await sales.begin({ paymentId })).result).toMatchObject({
      refusal: { code: 'over_refund', extensions: { available: 0 } },
    });
    expect(await sales.paymentRow(paymentId)).toEqual({ status: 'refunded', refunded: 100, reserved: 0 });
  });

  test('is refused while the processor says that the payment cannot be refunded', async () => {
    const { orderId, paymentId } = await sold(1, 500);
    await books.sql`update payments set refundable = false where id = ${paymentId}`;
    for (const of of [{ orderId }, { paymentId: paymentId ?? '' }])
      expect((await sales.begin(of)).result).toMatchObject({
        refusal: { code: 'payment_disputed', extensions: { paymentId } },
      });
  });

  test('counts what disputes have withdrawn', async () => {
    const { orderId, paymentId } = await sold(1, 500);
    await books.sql`update payments set disputed = 400 where id = ${paymentId}`;
    expect((await sales.begin({ orderId }, { amount: 101 })).result).toMatchObject({
      refusal: { extensions: { available: 100 } },
    });
    expect((await sales.refunded({ orderId })).amount).toBe(100);
  });
});

describe('the statuses of order and payment', () => {
  test('follow the sums, by whichever of the two the refund was asked for', async () => {
    const { orderId, paymentId } = await sold(2, 500);
    await sales.refunded({ orderId }, { amount: 300 });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'partially_refunded', refunded: 300, reserved: 0 });
    expect(await sales.paymentRow(paymentId)).toEqual({ status: 'partially_refunded', refunded: 300, reserved: 0 });
    await sales.refunded({ paymentId: paymentId ?? '' });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000, reserved: 0 });
    expect(await sales.paymentRow(paymentId)).toEqual({ status: 'refunded', refunded: 1000, reserved: 0 });
    const path =
      await books.sql`select from_status || ' ' || to_status as move from order_events where order_id = ${orderId}
                                  and from_status is distinct from to_status order by id offset 4`;
    expect(path.map(({ move }) => move)).toEqual(['confirmed partially_refunded', 'partially_refunded refunded']);
  });

  test('are left again when a refund fails after it succeeded: its money can be refunded, and a review is opened', async () => {
    const { orderId, paymentId } = await sold(1, 1000);
    const refund = await sales.refunded({ orderId });
    expect(must(await sales.fail(refund.id)).transitions).toEqual([{ from: 'succeeded', to: 'failed' }]);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'confirmed', refunded: 0, reserved: 0 });
    expect(await sales.paymentRow(paymentId)).toEqual({ status: 'captured', refunded: 0, reserved: 0 });
    const reviews = await books.sql`select status, detail from manual_reviews
                                     where kind = 'refund_failed' and subject = ${`refund/${refund.id}`}`;
    expect(reviews).toMatchObject([
      { status: 'open', detail: { amount: 1000, afterSuccess: true, failure: 'expired_or_canceled_card' } },
    ]);
    await sales.refunded({ orderId }, { amount: 400 });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'partially_refunded', refunded: 400 });
  });

  test('before the money was captured: nothing can be refunded', async () => {
    const opened = orderOpening([{ sku: await books.newSku(1), quantity: 1 }]);
    await createOrderStore(books.sql).apply(opened);
    expect((await sales.begin({ orderId: opened.orderId })).result).toMatchObject({
      refusal: { code: 'invalid_order_state', extensions: { from: 'reserved', to: 'refunded' } },
    });
    const paymentId = `pay_${randomUUID()}`;
    expect((await sales.begin({ paymentId })).result).toMatchObject({ refusal: { code: 'not_found' } });
    await books.sql`insert into payments (id, status, amount, currency) values (${paymentId}, 'declined', 100, 'USD')`;
    expect((await sales.begin({ paymentId })).result).toMatchObject({
      refusal: { code: 'invalid_state', extensions: { from: 'declined' } },
    });
  });
});

describe('a step of a refund', () => {
  test('repeated is done once: begun, settled and failed', async () => {
    const { sku, orderId } = await sold(3, 100);
    const lines = [{ sku, quantity: 2 }];
    const { id, result } = await sales.begin({ orderId }, { lines, restock: true });
    const again = await sales.beginAs(id, { orderId }, { lines, restock: true });
    expect(must(again.result).state).toEqual(must(result).state);
    const settled = await Promise.all(Array.from({ length: 10 }, () => sales.settle(id, 0, 're_1')));
    expect(settled.flatMap((each) => must(each).transitions)).toEqual([{ from: 'pending', to: 'succeeded' }]);
    expect(await onHand(sku)).toBe(9);
    await sales.fail(id);
    await sales.fail(id);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'confirmed', refunded: 0, reserved: 0 });
    expect(await sales.refundRow(id)).toMatchObject({ status: 'failed', attempts: 1 });
  });

  test('of an earlier attempt changes nothing: the retry has a number of its own', async () => {
    const paymentId = await sales.payment(100);
    const { id } = await sales.begin({ paymentId });
    await sales.fail(id);
    expect(must(await sales.retry(id, 1)).state).toMatchObject({ status: 'pending', attempts: 1, failure: null });
    await sales.settle(id, 0);
    await sales.fail(id, 0);
    expect(await sales.refundRow(id)).toMatchObject({ status: 'pending' });
    await sales.settle(id, 1);
    expect(await sales.paymentRow(paymentId)).toEqual({ status: 'refunded', refunded: 100, reserved: 0 });
  });

  test('that retries is refused once the money was refunded otherwise', async () => {
    const paymentId = await sales.payment(100);
    const { id } = await sales.begin({ paymentId });
    await sales.fail(id);
    await sales.refunded({ paymentId }, { amount: 1 });
    expect(await sales.retry(id, 1)).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'over_refund', extensions: { available: 99 } },
    });
    expect(await sales.refundRow(id)).toMatchObject({ status: 'failed' });
  });
});

describe('a refund with restock', () => {
  test('brings the goods back as `returned` when it is booked, and the ledger stays consistent', async () => {
    const { sku, orderId } = await sold(3, 100);
    const { id } = await sales.begin({ orderId }, { lines: [{ sku, quantity: 2 }], restock: true });
    expect(await onHand(sku)).toBe(7);
    await sales.settle(id);
    expect(await onHand(sku)).toBe(9);
    const rows = await books.sql`select kind, on_hand_delta::int as delta, reference, reason from stock_ledger
                                  where sku = ${sku} order by at desc limit 1`;
    expect(rows).toEqual([{ kind: 'returned', delta: 2, reference: orderId, reason: 'does not fit' }]);
    expect(await sales.refundRow(id)).toMatchObject({ restocked: true, lines: [{ quantity: 2, restocked: 2 }] });
    expect(await books.differences(sku)).toEqual([]);
  });

  test('of everything brings every unit back; one without it brings none', async () => {
    const { sku, orderId } = await sold(3, 100);
    await sales.refunded({ orderId }, { lines: [{ sku, quantity: 1 }] });
    expect(await onHand(sku)).toBe(7);
    await sales.refunded({ orderId }, { restock: true });
    expect(await onHand(sku)).toBe(9);
  });

  test('that fails late leaves the goods in the stock, and they do not come back twice', async () => {
    const { sku, orderId } = await sold(3, 100);
    const two = { lines: [{ sku, quantity: 2 }], restock: true };
    const first = await sales.refunded({ orderId }, two);
    await sales.fail(first.id);
    expect(await onHand(sku)).toBe(9);
    await sales.refunded({ orderId }, two);
    expect(await onHand(sku)).toBe(9);
    await sales.refunded({ orderId }, { lines: [{ sku, quantity: 1 }], restock: true });
    expect(await onHand(sku)).toBe(10);
  });

  test('that the ledger cannot take is booked not at all', async () => {
    const { sku, orderId } = await sold(1, 100);
    const { id } = await sales.begin({ orderId }, { restock: true });
    await books.sql`update refunds set lines = jsonb_set(lines, '{0,location}', '"nowhere"') where id = ${id}`;
    await expect(sales.settle(id)).rejects.toThrow('refused to take back');
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'confirmed', refunded: 0, reserved: 100 });
    expect(await onHand(sku)).toBe(9);
  });
});

describe('an order that was paid outside Holdfast', () => {
  test('is refunded in parts without a processor, until nothing is left', async () => {
    const { sku, orderId } = await sold(2, 100, 'external');
    const { id, result } = await sales.begin({ orderId }, { lines: [{ sku, quantity: 1 }], restock: true });
    expect(must(result).state).toMatchObject({ paymentId: null, gateway: null, amount: 100 });
    await sales.settle(id);
    await sales.refunded({ orderId });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 200 });
    expect((await sales.begin({ orderId })).result).toMatchObject({ refusal: { code: 'over_refund' } });
    expect(await onHand(sku)).toBe(9);
  });

  test('and cost nothing gives its goods back: no processor is asked for 0', async () => {
    const { sku, orderId } = await sold(2, 0);
    const refund = await sales.refunded({ orderId }, { lines: [{ sku, quantity: 2 }], restock: true });
    expect(refund).toMatchObject({ amount: 0, gateway: null, restocked: true });
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'confirmed' });
    expect(await onHand(sku)).toBe(10);
  });
});

test('a refund mail is queued once, where the customer has an address', async () => {
  const { orderId } = await sold(2, 100, 'card', 'ada@example.com');
  const { id } = await sales.refunded({ orderId }, { amount: 50 });
  await sales.settle(id);
  const mails = () => books.sql`select payload from outbox where topic = 'mail' and payload->>'refundId' = ${id}`;
  expect(await mails()).toEqual([{ payload: { template: 'refund', refundId: id } }]);
  const without = await sold(1, 100);
  const silent = await sales.refunded({ orderId: without.orderId });
  expect(await books.sql`select from outbox where payload->>'refundId' = ${silent.id}`).toEqual([]);
});
