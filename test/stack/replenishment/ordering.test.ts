import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { Supply, supplierPrice } from './supply.js';

const shop = sharedShop();
const supply = new Supply(shop, inject('sandboxUrl'));

describe('a replenishment', () => {
  test("orders up to the maximum at the supplier's price, and receives the goods with the purchase order as reference", async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 }, { delivery: ['ordered', 'shipped', 'delivered'] });
    const answered = await shop.post('/api/replenishments', { sku });
    expect(answered.status).toBe(202);
    expect(answered.headers.get('location')).toBe(`/api/replenishments/${answered.body.id}`);
    expect(answered.body).toMatchObject({ sku, location: 'main', status: 'running', quantity: 16, failure: null });

    const shipped = await eventually('the order to be shipped', async () => {
      const [order] = await supply.purchaseOrders(sku);
      return order?.status === 'shipped' && order;
    });
    const money = (amount: number) => ({ amount, currency: 'USD' });
    const items = [{ sku, quantity: 16, unitPrice: money(supplierPrice), totalPrice: money(16 * supplierPrice) }];
    expect(shipped).toEqual({
      id: expect.stringMatching(/^po_/),
      supplierId: expect.any(String),
      supplierOrderId: expect.any(String),
      status: 'shipped',
      items,
      receivedAt: null,
    });
    expect(await supply.onHand(sku)).toBe(4);

    const ended = await supply.ended(answered.body.id);
    expect(ended).toMatchObject({ status: 'completed', quantity: 16, purchaseOrderId: shipped.id, failure: null });
    expect(await supply.onHand(sku)).toBe(20);
    const deliveries = await supply.deliveries(sku);
    expect(deliveries).toMatchObject([{ kind: 'received', onHandDelta: 16, reference: shipped.id }]);
    const { body: order } = await shop.get(`/api/purchase-orders/${shipped.id}`);
    expect(order).toEqual({ ...shipped, status: 'delivered', receivedAt: expect.any(String) });
    expect(Date.parse(order.receivedAt)).toBe(Date.parse(deliveries[0]?.at ?? ''));
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
  });

  test.each([
    ['at least what the supplier sends', { stock: 18, maxStock: 20, min: 7 }, 7],
    ['at most what the supplier sends', { stock: 0, maxStock: 20, max: 9 }, 9],
  ])('orders %s', async (_, request, quantity) => {
    const sku = await supply.product(request);
    const ended = await supply.ended(await supply.replenish(sku));
    expect(ended).toMatchObject({ status: 'completed', quantity });
    expect(await supply.onHand(sku)).toBe(request.stock + quantity);
  });

  test('orders less if the supplier has less', async () => {
    const sku = await supply.product({ stock: 4 }, { availability: { available: true, quantity: 6 } });
    const ended = await supply.ended(await supply.replenish(sku));
    expect(ended).toMatchObject({ status: 'completed', quantity: 6 });
    expect(await supply.onHand(sku)).toBe(10);
    expect(await supply.purchaseOrders(sku)).toMatchObject([{ items: [{ quantity: 6 }] }]);
  });

  test('can be started again once it has ended', async () => {
    const sku = await supply.product({ stock: 4, max: 5 });
    const first = await supply.replenish(sku);
    await supply.ended(first);
    const second = await supply.replenish(sku);
    expect(second).not.toBe(first);
    await supply.ended(second);
    expect(await supply.onHand(sku)).toBe(14);
    const listed = await supply.replenishments(sku);
    expect(listed.map(({ id }: { id: string }) => id)).toEqual([second, first]);
  });
});

describe('an impossible replenishment', () => {
  test.each([
    ['a full level', { stock: 20 }, 409, 'nothing_to_order'],
    ['a supplier that is switched off', { active: false }, 409, 'supplier_inactive'],
    ['a product without a maximum', { maxStock: null }, 409, 'supplier_not_configured'],
  ] as const)('%s is refused', async (_, request, status, code) => {
    const sku = await supply.product(request);
    const refused = await shop.post('/api/replenishments', { sku });
    expect(refused).toMatchObject({ status, body: { code } });
    expect(await supply.replenishments(sku)).toEqual([]);
    expect(await supply.calls(sku)).toEqual([]);
  });

  test('a product without a supplier is refused, and the error names what is missing', async () => {
    const refused = await shop.post('/api/replenishments', { sku: await shop.product(1) });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'supplier_not_configured', missing: ['supplierId', 'maxStock', 'supplierPrice'] },
    });
  });

  test('an unknown SKU or location is refused with its field', async () => {
    const sku = await supply.product();
    const nothing = await shop.post('/api/replenishments', { sku: 'no-such-sku' });
    expect(nothing).toMatchObject({ status: 422, body: { code: 'unknown_sku', errors: [{ pointer: '/sku' }] } });
    const nowhere = await shop.post('/api/replenishments', { sku, location: 'nowhere' });
    expect(nowhere).toMatchObject({
      status: 422,
      body: { code: 'unknown_location', errors: [{ pointer: '/location' }] },
    });
    const transit = await shop.post('/api/replenishments', { sku, location: 'transit' });
    expect(transit).toMatchObject({ status: 422, body: { code: 'unknown_location' } });
  });

  test('an unknown replenishment or purchase order is not found', async () => {
    expect((await shop.get('/api/replenishments/rpl_none')).body.code).toBe('not_found');
    expect((await shop.get('/api/purchase-orders/po_none')).body.code).toBe('not_found');
  });
});

describe('only one runs at a time:', () => {
  test('concurrent starts through two API processes lead to one replenishment and one order', async () => {
    // Runs for as long as the slowest of them may take.
    const delivery = [...Array.from({ length: 10 }, () => 'ordered'), 'delivered'];
    const sku = await supply.product({ stock: 4 }, { delivery });
    const shops = [shop, sharedShop(1)];
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, at) => (shops[at % 2] ?? shop).post('/api/replenishments', { sku })),
    );
    expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 202));
    const [id, ...others] = new Set(asked.map(({ body }) => body.id));
    expect(others).toEqual([]);
    await supply.ended(id);
    expect(await supply.onHand(sku)).toBe(20);
    expect(await supply.purchaseOrders(sku)).toHaveLength(1);
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
  });

  test('the same key gives the same answer and orders once', async () => {
    const sku = await supply.product({ stock: 4, max: 5 });
    const key = { 'idempotency-key': `replenish-${sku}` };
    const first = await shop.post('/api/replenishments', { sku }, key);
    await supply.ended(first.body.id);
    const again = await sharedShop(1).post('/api/replenishments', { sku }, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await supply.onHand(sku)).toBe(9);
  });

  test('a client that does not wait gets the running replenishment', async () => {
    const sku = await supply.product({ stock: 4 }, { delivery: ['ordered', 'ordered', 'delivered'] });
    const first = await shop.post('/api/replenishments', { sku }, { prefer: 'respond-async' });
    expect(first).toMatchObject({ status: 202, body: { sku, status: 'running' } });
    expect(await supply.replenish(sku)).toBe(first.body.id);
    await supply.ended(first.body.id);
  });
});

describe('who may', () => {
  test('only supply:read can read, and only supply:write can order', async () => {
    const sku = await supply.product();
    const withScopes = async (...scopes: string[]) => {
      const { body } = await shop.must(201, shop.post('/api/keys', { name: 'supply test', scopes }));
      return { authorization: `Bearer ${body.key}` };
    };
    const reader = await withScopes('supply:read');
    const other = await withScopes('inventory:read', 'inventory:write', 'orders:read');
    for (const path of ['/api/replenishments', '/api/purchase-orders']) {
      expect((await shop.call('GET', path, undefined, reader)).status).toBe(200);
      expect((await shop.call('GET', path, undefined, other)).body.code).toBe('forbidden');
    }
    expect((await shop.post('/api/replenishments', { sku }, reader)).body.code).toBe('forbidden');
    expect((await shop.post('/api/replenishments', { sku }, await withScopes('supply:write'))).status).toBe(202);
  });
});
