import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { startReplenishment } from './start.js';
import { Supply } from './supply.js';

const shop = sharedShop();
const supply = new Supply(shop, inject('sandboxUrl'));

/** A request with waits of 0.3 s and 0.6 s between the attempts. */
const hurried = { cause: 'request', retry: { retryBaseScale: 0.001, gatewayTimeoutSeconds: 1 } } as const;

describe('a supplier that does not answer as it should', () => {
  test.each(['lost', 'malformed', 'error', 'timeout'] as const)(
    'orders nothing twice where the first answer is %s',
    async (order) => {
      const sku = await supply.product({ stock: 4 }, { order });
      const id = await supply.replenish(sku);
      // All but a lost answer go on until the script says otherwise.
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
    expect(await supply.ended(await startReplenishment(sku, hurried))).toMatchObject({ status: 'completed' });
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
  });

  test('fails when its three attempts are used up; nothing stays ordered, and a person and the managers are told', async () => {
    const sku = await supply.product({ stock: 4 }, { order: 'error' });
    const id = await startReplenishment(sku, hurried);
    const ended = await supply.ended(id);
    expect(ended).toMatchObject({ status: 'failed', purchaseOrderId: null, failure: { code: 'supplier_unavailable' } });
    expect(await supply.calls(sku, 'order')).toHaveLength(3);
    expect(await supply.calls(sku, 'order_cancel')).toMatchObject([{ outcome: 'cancelled', idempotencyKey: id }]);
    expect(await supply.onHand(sku)).toBe(4);
    expect(await supply.purchaseOrders(sku)).toEqual([]);
    expect(await supply.reviews(sku)).toMatchObject([
      { kind: 'replenishment_failed', status: 'open', attempts: 3, detail: { sku, replenishmentId: id } },
    ]);
    await eventually('the managers to be told', async () => {
      const mails = await shop.mailTo('managers@holdfast.example');
      return mails.filter(({ subject }) => subject.includes(sku)).length === 1;
    });

    // An order that can be placed closes the case.
    await supply.script(sku, {});
    await supply.ended(await supply.replenish(sku));
    expect(await supply.reviews(sku)).toMatchObject([{ status: 'resolved', resolution: { by: 'success' } }]);
  });

  test('a second failure opens no second case', async () => {
    const sku = await supply.product({}, { availability: 'error' });
    for (const _ of [1, 2]) expect((await supply.ended(await startReplenishment(sku, hurried))).status).toBe('failed');
    expect(await supply.reviews(sku)).toHaveLength(1);
    expect(await supply.calls(sku, 'order')).toEqual([]);
  });

  test('a question after the delivery that is not answered is asked again', async () => {
    const delivery = ['error', 'malformed', 'error', 'error', 'shipped', 'delivered'];
    const sku = await supply.product({ stock: 4 }, { delivery });
    expect(await supply.ended(await startReplenishment(sku, hurried))).toMatchObject({ status: 'completed' });
    expect(await supply.onHand(sku)).toBe(20);
  });
});

describe('a supplier that says no', () => {
  test('has none: supplier_refused, and nothing is ordered', async () => {
    const sku = await supply.product({}, { availability: { available: false, quantity: 0 } });
    const ended = await supply.ended(await supply.replenish(sku));
    expect(ended).toMatchObject({ status: 'failed', failure: { code: 'supplier_refused' }, purchaseOrderId: null });
    expect(await supply.calls(sku, 'order')).toEqual([]);
  });

  test('cancels the order: supplier_failed, and nothing is on order any more', async () => {
    const sku = await supply.product({ stock: 4 }, { delivery: ['ordered', 'cancelled'] });
    const ended = await supply.ended(await supply.replenish(sku));
    expect(ended).toMatchObject({ status: 'failed', failure: { code: 'supplier_failed' } });
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ status: 'cancelled', receivedAt: null }]);
    expect(await supply.onHand(sku)).toBe(4);
    await supply.script(sku, {});
    expect(await supply.ended(await supply.replenish(sku))).toMatchObject({ status: 'completed', quantity: 16 });
  });
});

describe('somebody who cancels the workflow', () => {
  test('calls the order off at the supplier', async () => {
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

  test('is put before a person, stays ordered, and is received when it comes', async () => {
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
    await eventually('the case to be closed', async () => (await supply.reviews(sku))[0].status === 'resolved');
    expect(await supply.replenishments(sku)).toMatchObject([{ status: 'completed' }]);
  });

  test('is failed where a person says so', async () => {
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
  test('a level that stays low is not asked about again at once', async () => {
    const sku = await supply.product(
      { stock: 4, reorderPoint: 5 },
      { availability: { available: false, quantity: 0 } },
    );
    // The trigger of the receipt may have failed by itself; from here on nothing is to be asked for an hour.
    await eventually('the level to be seen to', async () => (await supply.replenishments(sku)).length > 0);
    await eventually('it to be over', async () => (await supply.replenishments(sku))[0].status === 'failed');
    const before = (await supply.calls(sku)).length;
    await startReplenishment(sku, { cause: 'level', deliveryCheckSeconds: 3600 });
    await sleep(500);
    expect(await supply.calls(sku)).toHaveLength(before);
    // A person is not kept from asking.
    await supply.script(sku, {});
    expect(await supply.ended(await supply.replenish(sku))).toMatchObject({ status: 'completed' });
  });
});
