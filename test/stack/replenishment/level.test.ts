import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { receiveDelivery } from '../../../db/supply/purchase-orders.js';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { startReplenishment } from './start.js';
import { Supply } from './supply.js';

const shop = sharedShop();
const supply = new Supply(shop, inject('sandboxUrl'));
const connection = connect(inject('databaseUrl'), { applicationName: 'test', maxConnections: 2 });
afterAll(() => connection.close());

const consume = (sku: string, quantity: number) =>
  shop.must(200, shop.post('/api/inventory/operations', { operation: 'consume', sku, quantity }));

describe('a level that falls to the reorder point', () => {
  test('is refilled automatically: purchase order, delivery, stock', async () => {
    const sku = await supply.product(
      { stock: 10, reorderPoint: 5, maxStock: 20 },
      { delivery: ['shipped', 'delivered'] },
    );
    await consume(sku, 4);
    await sleep(500);
    expect(await supply.replenishments(sku)).toEqual([]);

    await consume(sku, 1);
    await eventually('the goods', async () => (await supply.onHand(sku)) === 20);
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ status: 'delivered', items: [{ quantity: 15 }] }]);
    expect(await supply.replenishments(sku)).toMatchObject([{ status: 'completed', quantity: 15 }]);
  });

  test('is checked again after the delivery, so units sold meanwhile are ordered too', async () => {
    const sku = await supply.product(
      { stock: 5, reorderPoint: 5, maxStock: 10 },
      { delivery: ['ordered', 'ordered', 'delivered'] },
    );
    await eventually('an order', async () => (await supply.purchaseOrders(sku)).length === 1);
    // While 5 are on order nothing more is ordered: on hand plus on order stay above the reorder point until the last is sold.
    await consume(sku, 5);
    expect(await supply.replenishments(sku)).toHaveLength(1);
    await eventually('the second order', async () => (await supply.purchaseOrders(sku)).length === 2);
    await eventually('the goods', async () => (await supply.onHand(sku)) === 10);
    expect(await supply.deliveries(sku)).toMatchObject([{ onHandDelta: 5 }, { onHandDelta: 5 }]);
  });
});

describe('a trigger', () => {
  test('that comes twice, or many times at once, changes nothing more', async () => {
    const sku = await supply.product({ stock: 10, maxStock: 20 }, { delivery: ['ordered', 'delivered'] });
    await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { reorderPoint: 10 }));
    await Promise.all(Array.from({ length: 8 }, () => startReplenishment(sku, { cause: 'level' })));
    await eventually('the goods', async () => (await supply.onHand(sku)) === 20);
    await startReplenishment(sku, { cause: 'level' });
    await settled(sku);
    expect(await supply.purchaseOrders(sku)).toHaveLength(1);
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
  });

  test('that comes late does nothing', async () => {
    const sku = await supply.product({ stock: 10, reorderPoint: 5, maxStock: 20 });
    await startReplenishment(sku, { cause: 'level' });
    await settled(sku);
    expect(await supply.replenishments(sku)).toEqual([]);
    expect(await supply.calls(sku)).toEqual([]);
  });

  test('that joins a running replenishment is not forgotten', async () => {
    const sku = await supply.product({ stock: 0, maxStock: 10, max: 4 }, { delivery: ['ordered', 'delivered'] });
    await startReplenishment(sku, { cause: 'request' });
    await eventually('an order', async () => (await supply.purchaseOrders(sku)).length === 1);
    // 4 arrive. The level is low from now on, and its trigger finds the workflow running.
    await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { reorderPoint: 7 }));
    await eventually('the goods', async () => (await supply.onHand(sku)) === 8);
    await settled(sku);
    expect(await supply.purchaseOrders(sku)).toHaveLength(2);
  });
});

describe('a delivery', () => {
  test('that is reported twice, or ten times at once, is received once', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 }, { delivery: ['ordered'] });
    const id = await supply.replenish(sku);
    const [order] = await eventually('the order', async () => {
      const orders = await supply.purchaseOrders(sku);
      return orders.length === 1 && orders;
    });
    const reports = await Promise.all(
      Array.from({ length: 10 }, () => receiveDelivery(connection.sql, order.id, 'test')),
    );
    expect(reports.filter((report) => report.outcome === 'received' && report.delaySeconds !== null)).toHaveLength(1);
    expect(await supply.ended(id)).toMatchObject({ status: 'completed' });
    // The workflow learns of it from the supplier, as always, and reports it once more.
    await supply.script(sku, { delivery: ['delivered'] });
    await settled(sku);
    expect(await supply.deliveries(sku)).toMatchObject([{ onHandDelta: 16, reference: order.id }]);
    expect(await supply.onHand(sku)).toBe(20);
  });

  test('is received in one transaction: stock, order and replenishment always agree', async () => {
    const sku = await supply.product({ stock: 0, maxStock: 8 }, { delivery: ['ordered', 'ordered', 'delivered'] });
    const id = await supply.replenish(sku);
    const seen = new Set<string>();
    await eventually('the end', async () => {
      const [row] = await connection.sql<{ seen: string }[]>`
        select coalesce(o.status, 'none') || ' ' || r.status || ' ' || coalesce(l.on_hand, 0) as seen
          from replenishments r left join purchase_orders o on o.id = r.purchase_order_id
          left join stock_levels l on l.sku = r.sku and l.location = r.location where r.id = ${id}`;
      seen.add(row?.seen ?? '');
      return row?.seen.includes('completed');
    });
    for (const each of seen) expect(['none running 0', 'ordered running 0', 'delivered completed 8']).toContain(each);
  });

  test('that takes long continues in new runs, so the history stays small', async () => {
    const delivery = [...Array.from({ length: 55 }, () => 'ordered'), 'shipped', 'delivered'];
    const sku = await supply.product({ stock: 4, maxStock: 20 }, { delivery });
    await startReplenishment(sku, { cause: 'request', deliveryCheckSeconds: 0.1 });
    const handle = (await temporal()).workflow.getHandle(`replenishment/${sku}/main`);
    const first = await handle.describe();
    const other = await eventually('a new run', async () => {
      const now = await handle.describe();
      return now.runId !== first.runId && now;
    });
    expect(other.status.name).toBe('RUNNING');
    const whole = await (await temporal()).workflow.getHandle(`replenishment/${sku}/main`, first.runId).fetchHistory();
    expect(whole.events?.length ?? 0).toBeLessThan(500);
    // Another request still finds the same replenishment.
    const [running] = await supply.replenishments(sku);
    expect(await supply.replenish(sku)).toBe(running.id);
    expect(await supply.ended(running.id)).toMatchObject({ status: 'completed' });
    expect(await supply.onHand(sku)).toBe(20);
    expect(await supply.deliveries(sku)).toHaveLength(1);
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ status: 'delivered' }]);
  });
});

describe('a terminated workflow', () => {
  test('is resumed by the next: the order it placed is found and not placed again', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 }, { delivery: ['ordered'] });
    const id = await supply.replenish(sku);
    await eventually('the order', async () => (await supply.purchaseOrders(sku)).length === 1);
    const handle = (await temporal()).workflow.getHandle(`replenishment/${sku}/main`);
    await handle.terminate('a test');
    await supply.script(sku, { delivery: ['delivered'] });
    expect(await supply.replenish(sku)).toBe(id);
    expect(await supply.ended(id)).toMatchObject({ status: 'completed' });
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
    expect(await supply.onHand(sku)).toBe(20);
  });

  test('that had not recorded its order is resumed with the quantity it planned, not a new one', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 });
    const id = `rpl_${randomUUID().replaceAll('-', '')}`;
    const [{ supplierId }] = await connection.sql<[{ supplierId: string }]>`
      select supplier_id as "supplierId" from products where sku = ${sku}`;
    await connection.sql`
      insert into replenishments (id, sku, location, status, quantity, supplier_id, unit_price_amount, unit_price_currency)
      values (${id}, ${sku}, 'main', 'running', 9, ${supplierId}, 310, 'USD')`;
    const body = { sku, quantity: 9, idempotencyKey: id, unitPrice: { amount: 310, currency: 'USD' } };
    await fetch(`${inject('sandboxUrl')}/supplier/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await supply.script(sku, { availability: { available: true, quantity: 2 } });
    expect(await supply.replenish(sku)).toBe(id);
    expect(await supply.ended(id)).toMatchObject({ status: 'completed', quantity: 9 });
    expect(await supply.onHand(sku)).toBe(13);
  });
});

/** Waits until the workflow of a SKU has come to its end. */
async function settled(sku: string): Promise<void> {
  const handle = (await temporal()).workflow.getHandle(`replenishment/${sku}/main`);
  await eventually('the workflow to end', async () => (await handle.describe()).status.name === 'COMPLETED');
}
