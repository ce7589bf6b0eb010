/** Refunds that the processor does not answer. */
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { atProcessor, refundOrder, refundReview, sold, untilRefund } from './sale.js';

const shop = sharedShop();

describe('a processor that does not answer', () => {
  test('is asked again with the same key: a refund it was too busy for is made once', async () => {
    const { orderId } = await sold(shop, 'tok_flaky_1');
    const { body } = await shop.must(201, refundOrder(shop, orderId, { amount: 100 }));
    const { refunded, keys } = await atProcessor(shop, orderId);
    expect([refunded, new Set(keys)]).toEqual([100, new Set([`${body.id}/0`])]);
  });

  test('keeps the amount reserved while a review is open, and is asked until a person closes it', async () => {
    const { sku, orderId, paymentId } = await sold(shop, 'tok_refund_down');
    const pending = await refundOrder(
      shop,
      orderId,
      { lines: [{ sku, quantity: 3 }], restock: true },
      { prefer: 'wait=1' },
    );
    expect([pending.status, pending.body.status]).toEqual([202, 'pending']);
    const review = await refundReview(shop, pending.body.id);
    expect(review).toMatchObject({ kind: 'refund_failed', detail: { refundId: pending.body.id, outcome: 'unknown' } });
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 0, refundPending: 3000 });
    expect((await refundOrder(shop, orderId)).body).toMatchObject({ code: 'over_refund', available: 0 });
    const resolve = (resolution: string) =>
      shop.must(200, shop.post(`/api/reviews/${review.id}/resolve`, { resolution, note: 'seen' }));
    expect((await resolve('retry')).body.status).toBe('open');
    await resolve('done');
    expect(await untilRefund(shop, pending.body.id, 'failed')).toMatchObject({
      failure: { code: 'closed_by_hand' },
      restocked: false,
    });
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({
      status: 'captured',
      refunded: 0,
      refundPending: 0,
    });
    expect(await shop.statusOf(orderId)).toBe('confirmed');
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
    const { body: reviews } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
    expect(reviews.items.filter(({ subject }: { subject: string }) => subject === `refund/${pending.body.id}`)).toEqual(
      [],
    );
  });
});
