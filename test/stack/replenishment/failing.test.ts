import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { startReplenishment } from './start.js';
import { Supply } from './supply.js';

const shop = sharedShop();
const supply = new Supply(shop, inject('sandboxUrl'));

/** Starts one with a wait of 3 s after the first attempt, to change the supplier's script meanwhile. */
const unhurried = { cause: 'request', retry: { retryBaseScale: 0.01, gatewayTimeoutSeconds: 1 } } as const;

describe('a supplier that does not answer as it should', () => {
  test.concurrent.each(['lost', 'malformed', 'error', 'timeout'] as const)(
    'gets no second order if its first answer is %s',
    async (order) => {
      const sku = await supply.product({ stock: 4 }, { order });
      const id = await startReplenishment(sku, unhurried);
      // All faults except a lost answer last until the script changes.
      if (order !== 'lost') {
        await eventually('the supplier to be asked', async () => (await supply.calls(sku, 'order')).length > 0);
        await supply.script(sku, {});
      }
      expect(await supply.ended(id)).toMatchObject({ status: 'completed', quantity: 16 });
      expect(await supply.onHand(sku)).toBe(20);
      const [order1, ...others] = await supply.purchaseOrders(sku);
      expect(others).toEqual([]);
      expect(order1).toMatchObject({ status: 'delivered' });
      const made = (await supply.calls(sku, 'order')).filter(({ outcome }) => outcome === 'ok');
      expect(made.length).toBeLessThanOrEqual(1);
      expect(new Set((await supply.calls(sku, 'order')).map(({ idempotencyKey }) => idempotencyKey))).toEqual(
        new Set([id]),
      );
    },
  );

  test('an order whose answer was lost is found by its key', async () => {
    const sku = await supply.product({ stock: 4 }, { order: 'lost' });
    expect(await supply.ended(await startReplenishment(sku, { cause: 'request' }))).toMatchObject({
      status: 'completed',
    });
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
  });

  test('fails the replenishment after three attempts; nothing stays ordered, a review opens and the managers get mail', async () => {
    const sku = await supply.product({ stock: 4 }, { order: 'error' });
    const id = await startReplenishment(sku, { cause: 'request' });
    const ended = await supply.ended(id);
    expect(ended).toMatchObject({ status: 'failed', purchaseOrderId: null, failure: { code: 'supplier_unavailable' } });
    expect(await supply.calls(sku, 'order')).toHaveLength(3);
    expect(await supply.calls(sku, 'order_cancel')).toMatchObject([{ outcome: 'cancelled', idempotencyKey: id }]);
    expect(await supply.onHand(sku)).toBe(4);
    expect(await supply.purchaseOrders(sku)).toEqual([]);
    expect(await supply.reviews(sku)).toMatchObject([
      { kind: 'replenishment_failed', status: 'open', attempts: 3, detail: { sku, replenishmentId: id } },
    ]);
    await eventually('the managers to get mail', async () => {
      const mails = await shop.mailTo('managers@holdfast.example');
      return mails.filter(({ subject }) => subject.includes(sku)).length === 1;
    });

    // The next order that can be placed closes the review.
    await supply.script(sku, {});
    await supply.ended(await supply.replenish(sku));
    expect(await supply.reviews(sku)).toMatchObject([{ status: 'resolved', resolution: { by: 'success' } }]);
  });

  test('a second failure opens no second review', async () => {
    const sku = await supply.product({}, { availability: 'error' });
    for (const _ of [1, 2])
      expect((await supply.ended(await startReplenishment(sku, { cause: 'request' }))).status).toBe('failed');
    expect(await supply.reviews(sku)).toHaveLength(1);
    expect(await supply.calls(sku, 'order')).toEqual([]);
  });

  test('a delivery check that is not answered is repeated', async () => {
    const delivery = ['error', 'malformed', 'error', 'error', 'shipped', 'delivered'];
    const sku = await supply.product({ stock: 4 }, { delivery });
    expect(await supply.ended(await startReplenishment(sku, { cause: 'request' }))).toMatchObject({
      status: 'completed',
    });
    expect(await supply.onHand(sku)).toBe(20);
  });
});

describe('a supplier that says no', () => {
  test('to the request for availability: supplier_refused, and nothing is ordered', async () => {
    const sku = await supply.product({}, { availability: { available: false, quantity: 0 } });
    const ended = await supply.ended(await supply.replenish(sku));
    expect(ended).toMatchObject({ status: 'failed', failure: { code: 'supplier_refused' }, purchaseOrderId: null });
    expect(await supply.calls(sku, 'order')).toEqual([]);
  });

  test('by cancelling the order: supplier_failed, and nothing stays on order', async () => {
    const sku = await supply.product({ stock: 4 }, { delivery: ['ordered', 'cancelled'] });
    const ended = await supply.ended(await supply.replenish(sku));
    expect(ended).toMatchObject({ status: 'failed', failure: { code: 'supplier_failed' } });
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ status: 'cancelled', receivedAt: null }]);
    expect(await supply.onHand(sku)).toBe(4);
    await supply.script(sku, {});
    expect(await supply.ended(await supply.replenish(sku))).toMatchObject({ status: 'completed', quantity: 16 });
  });
});

describe('a person who cancels the workflow', () => {
  test('cancels the order at the supplier', async () => {
    const sku = await supply.product({ stock: 4 }, { delivery: ['ordered'] });
    const id = await supply.replenish(sku);
    await eventually('the order', async () => (await supply.purchaseOrders(sku)).length === 1);
    await (await temporal()).workflow.getHandle(`replenishment/${sku}/main`).cancel();
    expect(await supply.ended(id)).toMatchObject({ status: 'failed', failure: { code: 'cancelled' } });
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ status: 'cancelled' }]);
    expect(await supply.calls(sku, 'order_cancel')).toMatchObject([{ outcome: 'cancelled' }]);
    expect(await supply.onHand(sku)).toBe(4);
  });
});

describe('a delivery that is overdue', () => {
  /** Half a second after the order. */
  const deliveryMaxDays = 0.5 / 86_400;

  test('goes to review, stays ordered, and is received when it arrives', async () => {
    const sku = await supply.product({ stock: 4 }, { delivery: ['ordered', 'shipped'] });
    await startReplenishment(sku, { cause: 'request', deliveryMaxDays });
    const [review] = await eventually('a case', async () => {
      const found = await supply.reviews(sku);
      return found.length > 0 && found;
    });
    const [order] = await supply.purchaseOrders(sku);
    expect(review).toMatchObject({
      kind: 'delivery_overdue',
      status: 'open',
      detail: { sku, purchaseOrderId: order.id },
    });
    expect(['ordered', 'shipped']).toContain(order.status);

    await supply.script(sku, { delivery: ['delivered'] });
    await shop.must(
      200,
      shop.post(`/api/reviews/${review.id}/resolve`, { resolution: 'retry', note: 'they say it is here' }),
    );
    await eventually('the goods', async () => (await supply.onHand(sku)) === 20);
    await eventually('the review to be closed', async () => (await supply.reviews(sku))[0].status === 'resolved');
    expect(await supply.replenishments(sku)).toMatchObject([{ status: 'completed' }]);
  });

  test('fails if a reviewer says so', async () => {
    const sku = await supply.product({ stock: 4 }, { delivery: ['ordered'] });
    await startReplenishment(sku, { cause: 'request', deliveryMaxDays, deliveryCheckSeconds: 3600 });
    const [review] = await eventually('a case', async () => {
      const found = await supply.reviews(sku);
      return found.length > 0 && found;
    });
    await shop.must(200, shop.post(`/api/reviews/${review.id}/resolve`, { resolution: 'done', note: 'lost at sea' }));
    await eventually('it to fail', async () => (await supply.replenishments(sku))[0].status === 'failed');
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ status: 'failed', receivedAt: null }]);
    expect(await supply.onHand(sku)).toBe(4);
    expect(await supply.reviews(sku)).toMatchObject([{ status: 'resolved', resolution: { by: 'person' } }]);
  });
});

describe('after a failure', () => {
  test('a level that stays low does not trigger another at once', async () => {
    const sku = await supply.product(
      { stock: 4, reorderPoint: 5 },
      { availability: { available: false, quantity: 0 } },
    );
    // The receipt's own trigger may have failed too. From here on nothing may start for an hour.
    await eventually('the level to be handled', async () => (await supply.replenishments(sku)).length > 0);
    await eventually('it to be over', async () => (await supply.replenishments(sku))[0].status === 'failed');
    const before = (await supply.calls(sku)).length;
    await startReplenishment(sku, { cause: 'level', deliveryCheckSeconds: 3600 });
    await sleep(500);
    expect(await supply.calls(sku)).toHaveLength(before);
    // A person can still ask for one.
    await supply.script(sku, {});
    expect(await supply.ended(await supply.replenish(sku))).toMatchObject({ status: 'completed' });
  });
});
