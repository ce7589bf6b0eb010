/** Refunds that the processor refuses, or that are refused after their client was answered. */
import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { atProcessor, refundOrder, sold, untilRefund } from './sale.js';

const shop = sharedShop();

describe('a processor that refuses a refund', () => {
  const byHand = async (orderId: string, path: string, body: object) => {
    const [entry] = await shop.books(orderId);
    const url = `${inject('sandboxUrl')}/payments/${entry?.authorizationId}/${path}`;
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(201);
  };

  test.each([
    ['since the cardholder disputes the payment', 'disputes', { reason: 'fraudulent' }, 'payment_disputed', 0],
    ['since somebody has returned most of it there', 'refunds', { amount: 2500 }, 'over_refund', 2500],
  ])('%s is answered as 409, and nothing is returned or brought back', async (_why, path, done, code, returned) => {
    const { sku, orderId, paymentId } = await sold(shop);
    await byHand(orderId, path, done);
    const { status, body } = await refundOrder(shop, orderId, { lines: [{ sku, quantity: 1 }], restock: true });
    expect([status, body.code, body.orderId]).toEqual([409, code, orderId]);
    expect((await atProcessor(shop, orderId)).refunded).toBe(returned);
    expect((await shop.get(`/api/payments/${paymentId}`)).body.refundPending).toBe(0);
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
    // A retry by a person would return what the client was refused, and may have asked for again.
    const { items } = (await shop.must(200, shop.get('/api/reviews?status=open&limit=200'))).body;
    expect(items.map(({ subject }: { subject: string }) => subject)).not.toContain(`refund/${body.refundId}`);
    expect((await shop.get(`/api/refunds/${body.refundId}`)).body).toMatchObject({
      status: 'failed',
      failure: { code },
    });
  });
});

test('a refund that was answered before it was decided, and is refused then, says why', async () => {
  const { orderId } = await sold(shop);
  const request = { amount: 3001, reason: 'too much' };
  const { body } = await shop.must(
    202,
    shop.post(`/api/orders/${orderId}/refunds`, request, { prefer: 'respond-async' }),
  );
  const refused = await untilRefund(shop, body.id, 'failed');
  expect(refused).toMatchObject({ orderId, amount: 3001, failure: { code: 'over_refund' } });
});
