import { randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, newEmail, Shop } from '../../shop.js';
import { unopenedOrder, unopenedPayment } from '../orders/unopened.js';
import { atProcessor, refundOrder, refundPayment, refundReview, sold, untilRefund } from './sale.js';

const shop = sharedShop();

describe('a refund of an order', () => {
  test('by line returns its share, brings the goods back, mails the customer and is on the timeline', async () => {
    const email = newEmail();
    const { sku, orderId, paymentId } = await sold(shop, 'tok_visa', email);
    const answer = await refundOrder(shop, orderId, { lines: [{ sku, quantity: 1 }], restock: true });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/api/refunds/${answer.body.id}`);
    expect(answer.body).toMatchObject({
      ...{ orderId, paymentId, amount: 1000, currency: 'USD', status: 'succeeded', failure: null },
      ...{ lines: [{ sku, quantity: 1, amount: 1000 }], charges: false, restocked: true, reason: 'does not fit' },
    });
    expect(answer.body.id).toMatch(/^rfd_/);
    expect(answer.body.providerReference).toMatch(/^re_/);
    expect(answer.body.settledAt).not.toBeNull();
    expect((await shop.get(`/api/refunds/${answer.body.id}`)).body).toEqual(answer.body);
    expect((await shop.get(`/api/orders/${orderId}`)).body).toMatchObject({
      status: 'partially_refunded',
      payment: { status: 'partially_refunded', refunded: 1000, refundPending: 0 },
    });
    expect(await shop.stock(sku)).toMatchObject({ onHand: 8 });
    expect(await atProcessor(shop, orderId)).toEqual({ refunded: 1000, keys: [`${answer.body.id}/0`] });
    const mails = await eventually('the mail', async () => {
      const all = (await shop.mailTo(email)).filter(({ subject }) => subject.startsWith('Refund'));
      return all.length > 0 && all;
    });
    expect(mails.map(({ subject }) => subject)).toEqual([`Refund for ${orderId}`]);
    expect(mails[0]?.text).toContain('10.00 USD');
    const timeline = (await shop.get(`/api/orders/${orderId}/timeline`)).body.items;
    expect(timeline.at(-1)).toMatchObject({
      ...{ from: 'confirmed', to: 'partially_refunded' },
      reason: `refund ${answer.body.id} returned 10.00 USD: does not fit`,
    });
  });

  test('in parts and by either path, until nothing is left', async () => {
    const { sku, orderId, paymentId } = await sold(shop);
    await shop.must(201, refundOrder(shop, orderId, { lines: [{ sku, quantity: 2 }] }));
    await shop.must(201, refundPayment(shop, paymentId, { amount: 400 }));
    const over = await refundOrder(shop, orderId, { amount: 601 });
    expect([over.status, over.body.code, over.body.available]).toEqual([409, 'over_refund', 600]);
    expect(over.body.orderId).toBe(orderId);
    const last = await shop.must(201, refundOrder(shop, orderId));
    expect(last.body.amount).toBe(600);
    expect((await shop.get(`/api/orders/${orderId}`)).body).toMatchObject({
      status: 'refunded',
      payment: { status: 'refunded', refunded: 3000 },
    });
    const none = await refundPayment(shop, paymentId);
    expect([none.status, none.body.code, none.body.available]).toEqual([409, 'over_refund', 0]);
    expect(none.body.paymentId).toBe(paymentId);
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
    expect((await atProcessor(shop, orderId)).refunded).toBe(3000);
    const listed = (await shop.get(`/api/refunds?orderId=${orderId}&status=succeeded`)).body.items;
    expect(listed.map(({ amount }: { amount: number }) => amount)).toEqual([600, 400, 2000]);
    expect((await shop.get(`/api/refunds?paymentId=${paymentId}&limit=1`)).body.items).toEqual([last.body]);
  });

  test('that was paid outside Holdfast is booked and restocked, and no processor is called', async () => {
    const { sku, orderId } = await sold(shop, null);
    const { body } = await shop.must(201, refundOrder(shop, orderId, { restock: true }));
    expect(body).toMatchObject({
      status: 'succeeded',
      amount: 3000,
      paymentId: null,
      providerReference: null,
      restocked: true,
    });
    expect(await shop.statusOf(orderId)).toBe('refunded');
    expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 0, available: 10 });
    expect(await shop.books(orderId)).toEqual([]);
  });

  test.each([
    [{ amount: 0 }],
    [{ amount: -1 }],
    [{ amount: 1.5 }],
    [{ lines: [{ sku: 'T', quantity: 0 }] }],
    [{ lines: [] }],
    [{ lines: [], restock: true }],
    [{ lines: [{ sku: 'T', quantity: 1_000_000_001 }] }],
    [{ lines: [{ sku: 'T', quantity: 1, amount: 5 }] }],
    [{ lines: [{ sku: 'not-in-the-order', quantity: 1 }] }],
    [{ amount: 100_000_000 }],
    [{ amount: '5' }],
    [{ amount: null }],
    [{ charges: 'yes' }],
    [{ charges: true, restock: true }],
    [{ reason: 'NUL \0' }],
    [JSON.parse('{"__proto__": {"amount": 1}}')],
    [{ amount: 5, restock: true }],
    [{ reason: '' }],
    [{ hurry: true }],
  ])('with %j is refused and returns nothing', async (wrong) => {
    const { orderId } = await sold(shop);
    const { status, body } = await refundOrder(shop, orderId, wrong);
    expect([status, body.code]).toEqual([422, 'validation_failed']);
    expect(body.errors).not.toEqual([]);
    expect(await atProcessor(shop, orderId)).toEqual({ refunded: 0, keys: [] });
  });

  test('with more lines or a longer reason than there may be is refused', async () => {
    const { orderId } = await sold(shop);
    for (const wrong of [{ lines: Array(101).fill({ sku: 'T', quantity: 1 }) }, { reason: 'x'.repeat(501) }]) {
      const { status, body } = await refundOrder(shop, orderId, wrong);
      expect([status, body.code]).toEqual([422, 'validation_failed']);
    }
  });

  test('that does not exist, or is not paid, is refused', async () => {
    expect((await refundOrder(shop, `ord_${randomUUID()}`)).status).toBe(404);
    expect((await refundPayment(shop, `pay_${randomUUID()}`)).status).toBe(404);
    expect((await shop.get(`/api/refunds/rfd_${randomUUID()}`)).status).toBe(404);
    const reserved = await shop.reserved(await shop.product(1));
    const { status, body } = await refundOrder(shop, reserved);
    expect([status, body.code, body.from, body.orderId]).toEqual([409, 'invalid_order_state', 'reserved', reserved]);
    const payment = { amount: 900, currency: 'USD', cardToken: 'tok_declined' };
    const { body: declined } = await shop.post('/api/payments', payment, { prefer: 'wait=30' });
    const refused = await refundPayment(shop, declined.paymentId, { amount: 1 });
    expect([refused.status, refused.body.code, refused.body.from, refused.body.paymentId]).toEqual([
      ...[409, 'invalid_state', 'declined', declined.paymentId],
    ]);
  });

  test('that no worker has opened yet is refused as too early, not as unknown', async () => {
    const [orderId, paymentId] = [`ord_${randomUUID()}`, `pay_${randomUUID()}`];
    const line = { sku: await shop.product(1), quantity: 1, location: 'main', reservationId: `rsv_${randomUUID()}` };
    const removes = [await unopenedOrder(orderId, { lines: [line] }), await unopenedPayment(paymentId)];
    try {
      const ofOrder = await refundOrder(shop, orderId);
      expect([ofOrder.status, ofOrder.body.code, ofOrder.body.from, ofOrder.body.orderId]).toEqual([
        ...[409, 'invalid_order_state', 'pending', orderId],
      ]);
      const ofPayment = await refundPayment(shop, paymentId);
      expect([ofPayment.status, ofPayment.body.code, ofPayment.body.from, ofPayment.body.paymentId]).toEqual([
        ...[409, 'invalid_state', 'pending', paymentId],
      ]);
    } finally {
      for (const remove of removes) await remove();
    }
  });

  test.each(['orders', 'payments'])('by a key without the scope %s:write is forbidden', async (resource) => {
    const { orderId, paymentId } = await sold(shop);
    const scopes = ['orders:write', 'payments:write'].filter((scope) => scope !== `${resource}:write`);
    const { body: made } = await shop.must(201, shop.post('/api/keys', { name: 'refunds', scopes }));
    const limited = new Shop({ apiUrl: inject('apiUrls')[0] ?? '', apiKey: made.key, sandboxUrl: '' });
    const refused = await (resource === 'orders' ? refundOrder(limited, orderId) : refundPayment(limited, paymentId));
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    expect(await atProcessor(shop, orderId)).toEqual({ refunded: 0, keys: [] });
  });
});

describe('refunds at once', () => {
  test('fifty of them never exceed what was captured', async () => {
    const { orderId, paymentId } = await sold(shop);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0 ? refundOrder(shop, orderId, { amount: 700 }) : refundPayment(shop, paymentId, { amount: 700 }),
      ),
    );
    const ids = answers.filter(({ status }) => status === 201 || status === 202).map(({ body }) => body.id);
    expect(ids).toHaveLength(4);
    for (const id of ids) await untilRefund(shop, id, 'succeeded');
    for (const { status, body } of answers)
      if (status >= 400) expect([status, body.code, body.available]).toEqual([409, 'over_refund', 200]);
    expect((await atProcessor(shop, orderId)).refunded).toBe(2800);
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 2800, refundPending: 0 });
  });

  test('the same call under fifty keys is as many refunds as the units allow, each of its own units', async () => {
    const { sku, orderId } = await sold(shop);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        refundOrder(
          sharedShop(index),
          orderId,
          { lines: [{ sku, quantity: 1 }], restock: true },
          {
            'idempotency-key': randomUUID(),
          },
        ),
      ),
    );
    const ids = answers.filter(({ status }) => status === 201 || status === 202).map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) await untilRefund(shop, id, 'succeeded');
    for (const { status, body } of answers)
      if (status >= 400)
        expect([status, body.code, body.available, body.orderId]).toEqual([409, 'over_refund', 0, orderId]);
    expect((await atProcessor(shop, orderId)).refunded).toBe(3000);
    expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 0, available: 10 });
    expect(await shop.statusOf(orderId)).toBe('refunded');
  });

  test('the same call fifty times is one refund', async () => {
    const { sku, orderId } = await sold(shop);
    const key = { 'idempotency-key': randomUUID() };
    const call = () => refundOrder(shop, orderId, { lines: [{ sku, quantity: 1 }], restock: true }, key);
    await Promise.all(Array.from({ length: 50 }, call));
    const { status, body } = await call();
    expect([status, body.status]).toEqual([201, 'succeeded']);
    expect(await atProcessor(shop, orderId)).toEqual({ refunded: 1000, keys: [`${body.id}/0`] });
    expect(await shop.stock(sku)).toMatchObject({ onHand: 8 });
    expect((await shop.get(`/api/refunds?orderId=${orderId}`)).body.items).toHaveLength(1);
  });
});

describe('a processor that decides later', () => {
  test('answers pending, which is 202, and the refund is booked when it has succeeded', async () => {
    const { sku, orderId, paymentId } = await sold(shop, 'tok_refund_pending_1500');
    const { status, body } = await refundOrder(shop, orderId, { lines: [{ sku, quantity: 1 }], restock: true });
    expect([status, body.status, body.restocked]).toEqual([202, 'pending', false]);
    expect(body.providerReference).toMatch(/^re_/);
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 0, refundPending: 1000 });
    expect(await untilRefund(shop, body.id, 'succeeded')).toMatchObject({ restocked: true });
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 1000, refundPending: 0 });
    expect(await atProcessor(shop, orderId)).toEqual({ refunded: 1000, keys: [`${body.id}/0`] });
    expect(await shop.stock(sku)).toMatchObject({ onHand: 8 });
  });

  test('may refuse: the money can be refunded again, and a person retries under a new key or closes the review', async () => {
    const { sku, orderId, paymentId } = await sold(shop, 'tok_refund_fails');
    const { status, body } = await refundOrder(shop, orderId, { restock: true });
    expect([status, body.status, body.restocked]).toEqual([201, 'failed', false]);
    expect(body.failure.code).not.toBe('');
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({
      status: 'captured',
      refunded: 0,
      refundPending: 0,
    });
    const first = await refundReview(shop, body.id);
    expect(first).toMatchObject({ kind: 'refund_failed', detail: { outcome: 'failed', amount: 3000 } });
    await shop.must(200, shop.post(`/api/reviews/${first.id}/resolve`, { resolution: 'retry', note: 'again' }));
    const second = await eventually('another review', async () => {
      const review = await refundReview(shop, body.id);
      return review.id !== first.id && review;
    });
    expect((await atProcessor(shop, orderId)).keys).toEqual([`${body.id}/0`, `${body.id}/1`]);
    await shop.must(
      200,
      shop.post(`/api/reviews/${second.id}/resolve`, { resolution: 'done', note: 'paid by cheque' }),
    );
    expect((await shop.get(`/api/refunds/${body.id}`)).body.status).toBe('failed');
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
    expect((await shop.get(`/api/orders/${orderId}/timeline`)).body.items.at(-1).reason).toContain(
      `refund ${body.id} of 30.00 USD failed`,
    );
  });
});
