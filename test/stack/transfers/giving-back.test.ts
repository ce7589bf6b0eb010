import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { type Answer, eventually } from '../../shop.js';
import { booksAgree, byHand, goods, receive, shipped, untilStatus, whereabouts } from './goods.js';

const shop = sharedShop();
const databaseUrl = inject('databaseUrl');

/** Goods called back while one of them is missing from transit, so the transfer cannot return them. */
async function stuck() {
  const { sku, from, to } = await goods(shop, 4);
  const id = await shipped(shop, { sku, quantity: 4, from, to });
  await byHand(databaseUrl, { kind: 'lose', sku, location: 'transit', quantity: 1 });
  const recalled = await shop.post(`/api/transfers/${id}/cancel`, { reason: 'wrong' }, { prefer: 'respond-async' });
  expect(recalled.status).toBe(202);
  const review = await eventually('the review', async () => {
    const { body } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
    return body.items.find(({ subject }: Answer['body']) => subject === `transfer/${id}`);
  });
  await untilStatus(shop, id, 'manual_review');
  return { sku, to, id, review };
}

describe('goods that cannot be returned', () => {
  test('go to review, are retried, and return as soon as possible', async () => {
    const { sku, to, id, review } = await stuck();
    expect(review).toMatchObject({ kind: 'compensation_failed', attempts: 5 });
    expect(review.detail).toMatchObject({ compensation: 'give the goods back', transferId: id, sku, quantity: 4, to });
    expect(review.lastError).toContain('available=3, requested=4');
    const refused = await receive(shop, id);
    expect([refused.status, refused.body.from, refused.body.to]).toEqual([409, 'manual_review', 'completed']);
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, transit: 3, held: 0 });

    await byHand(databaseUrl, { kind: 'transfer_in', sku, location: 'transit', quantity: 1 });
    expect(await untilStatus(shop, id, 'cancelled')).toMatchObject({ reason: 'wrong' });
    expect(await whereabouts(shop, sku)).toEqual({ main: 4, transit: 0, held: 0 });
    await eventually('the review to be closed', async () => {
      const { body } = await shop.must(200, shop.get(`/api/reviews/${review.id}`));
      return body.status === 'resolved' && body.resolution.by === 'success';
    });
    expect(await booksAgree(shop)).toBe(true);
  });

  test('are left to a reviewer who says that they were returned by hand', async () => {
    const { sku, id, review } = await stuck();
    await byHand(databaseUrl, { kind: 'lose', sku, location: 'transit', quantity: 3 });
    await byHand(databaseUrl, { kind: 'transfer_in', sku, location: 'main', quantity: 4 });
    const body = { resolution: 'done', note: 'found them in the yard' };
    await shop.must(200, shop.post(`/api/reviews/${review.id}/resolve`, body));
    await untilStatus(shop, id, 'cancelled');
    expect(await whereabouts(shop, sku)).toEqual({ main: 4, transit: 0, held: 0 });
    expect(await booksAgree(shop)).toBe(true);
  });
});
