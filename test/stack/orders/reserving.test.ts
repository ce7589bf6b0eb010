import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';

const shop = sharedShop();

describe('an order that reserves', () => {
  test('shows in the Temporal Web UI what it waits for, and how it ended', async () => {
    const sku = await shop.product(5, 1050);
    const id = await shop.reserved(sku, 2);
    const { workflow } = await temporal();
    const details = async () => {
      const metadata = await workflow.getHandle(`order/${id}`).query('__temporal_workflow_metadata');
      return (metadata as { currentDetails: string }).currentDetails;
    };
    expect(await details()).toMatch(/^reserved, 21\.00 USD: .*waits for a confirmation/);
    await shop.must(200, shop.cancel(id));
    expect(await details()).toMatch(/^cancelled, 21\.00 USD: /);
  });

  test('holds every line, and says until when', async () => {
    const [shirt, mug] = [await shop.product(10, 1999), await shop.product(5, 500)];
    const before = Date.now();
    const { status, body, headers } = await shop.order({
      customer: { id: 'cus_1', name: 'Ada', email: 'ada@example.com' },
      lines: [
        { sku: shirt, quantity: 2 },
        { sku: mug, quantity: 3 },
      ],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'reserved',
      customer: { id: 'cus_1', name: 'Ada', email: 'ada@example.com' },
      total: { amount: 2 * 1999 + 3 * 500, currency: 'USD' },
      payment: null,
      supplierReference: null,
      cancelReason: null,
      failure: null,
      workflowId: `order/${body.id}`,
    });
    expect(body.id).toMatch(/^ord_/);
    expect(headers.get('location')).toBe(`/api/orders/${body.id}`);
    expect(body.lines).toHaveLength(2);
    expect(body.lines[0]).toMatchObject({
      sku: shirt,
      quantity: 2,
      unitPrice: { amount: 1999, currency: 'USD' },
      location: 'main',
    });
    const holdMs = Date.parse(body.expiresAt) - before;
    expect(holdMs).toBeGreaterThan(890_000);
    expect(holdMs).toBeLessThan(960_000);
    expect(await shop.stock(shirt)).toEqual({ onHand: 10, reserved: 2, available: 8 });
    expect(await shop.stock(mug)).toEqual({ onHand: 5, reserved: 3, available: 2 });
    expect((await shop.get(`/api/orders/${body.id}`)).body).toEqual(body);
  });

  test('holds nothing if one line lacks stock, and fails with the figures', async () => {
    const [plenty, scarce] = [await shop.product(10), await shop.product(1)];
    const { status, body } = await shop.order({
      lines: [
        { sku: plenty, quantity: 2 },
        { sku: scarce, quantity: 2 },
      ],
    });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'insufficient_stock',
      detail: 'insufficient stock: available=1, requested=2',
      sku: scarce,
      location: 'main',
      available: 1,
      requested: 2,
    });
    const { body: order } = await shop.must(200, shop.get(`/api/orders/${body.orderId}`));
    expect(order).toMatchObject({ status: 'failed', failure: { code: 'insufficient_stock' }, expiresAt: null });
    expect(await shop.stock(plenty)).toEqual({ onHand: 10, reserved: 0, available: 10 });
    expect(await shop.path(body.orderId)).toEqual(['pending', 'failed']);
  });

  test('adds up two lines with the same SKU', async () => {
    const sku = await shop.product(3);
    const lines = [
      { sku, quantity: 2 },
      { sku, quantity: 2 },
    ];
    expect((await shop.order({ lines })).body).toMatchObject({
      code: 'insufficient_stock',
      available: 1,
      requested: 2,
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('for an unknown product leaves no order behind', async () => {
    const sku = `NO-${randomUUID()}`;
    const { status, body } = await shop.order({ lines: [{ sku, quantity: 1 }] });
    expect(status).toBe(422);
    expect(body.code).toBe('unknown_sku');
    expect(body.orderId).toBeUndefined();
  });

  test('for a product that is not for sale yet is refused', async () => {
    const sku = `DRAFT-${randomUUID().slice(0, 8)}`;
    await shop.must(
      201,
      shop.post('/api/products', { sku, name: 'Later', status: 'draft', price: { amount: 1, currency: 'USD' } }),
    );
    const { status, body } = await shop.order({ lines: [{ sku, quantity: 1 }] });
    expect([status, body.code]).toEqual([409, 'product_not_active']);
  });

  test('for an archived product is refused, but existing holds of it can still be bought', async () => {
    const [sku, other] = [await shop.product(5), await shop.product(5)];
    const [id, cancelled] = [await shop.reserved(sku, 2), await shop.reserved(sku, 1)];
    await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { status: 'archived' }));
    expect((await shop.order({ lines: [{ sku, quantity: 1 }] })).body.code).toBe('product_not_active');
    const added = await shop.post(`/api/orders/${id}/lines`, { sku, quantity: 1 });
    expect([added.status, added.body.code]).toEqual([409, 'product_not_active']);
    await shop.must(201, shop.post(`/api/orders/${id}/lines`, { sku: other, quantity: 1 }));
    const { body } = await shop.must(200, shop.confirm(id, 'tok_visa'));
    expect(body).toMatchObject({ status: 'confirmed', total: { amount: 3000 } });
    await shop.must(200, shop.cancel(cancelled));
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('in two currencies is refused', async () => {
    const [dollars, euros] = [await shop.product(1, 100, 'USD'), await shop.product(1, 100, 'EUR')];
    const { status, body } = await shop.order({
      lines: [
        { sku: dollars, quantity: 1 },
        { sku: euros, quantity: 1 },
      ],
    });
    expect([status, body.code]).toEqual([422, 'validation_failed']);
    expect(await shop.stock(dollars)).toMatchObject({ reserved: 0 });
  });

  test('at an unknown location is refused', async () => {
    const sku = await shop.product(1);
    const { status, body } = await shop.order({ lines: [{ sku, quantity: 1, location: 'nowhere' }] });
    expect([status, body.code]).toEqual([422, 'unknown_location']);
  });

  test('five at once, for one unit each, all succeed', async () => {
    const sku = await shop.product(5);
    const answers = await Promise.all(Array.from({ length: 5 }, () => shop.order({ lines: [{ sku, quantity: 1 }] })));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 5, available: 0 });
  });
});

describe('a draft', () => {
  test('has no lines until one is added and reserved', async () => {
    const sku = await shop.product(4, 250);
    const { status, body: draft } = await shop.order({});
    expect(status).toBe(201);
    expect(draft).toMatchObject({ status: 'draft', lines: [], total: { amount: 0, currency: 'USD' } });
    const { body: order } = await shop.must(201, shop.post(`/api/orders/${draft.id}/lines`, { sku, quantity: 3 }));
    expect(order).toMatchObject({
      id: draft.id,
      status: 'reserved',
      total: { amount: 750 },
      lines: [{ sku, quantity: 3 }],
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 4, reserved: 3, available: 1 });
    expect(await shop.path(draft.id)).toEqual(['pending', 'draft', 'reserved']);
  });

  test('cannot be confirmed', async () => {
    const { body: draft } = await shop.order({});
    const { status, body } = await shop.confirm(draft.id, 'tok_visa');
    expect([status, body.code, body.from]).toEqual([409, 'invalid_order_state', 'draft']);
    expect(body.orderId).toBe(draft.id);
  });

  test('can be cancelled', async () => {
    const { body: draft } = await shop.order({});
    expect((await shop.cancel(draft.id)).body).toMatchObject({ status: 'cancelled', cancelReason: 'changed my mind' });
  });
});

describe('a line that is added', () => {
  test('for an unknown product or location is refused, and the answer names the order', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    for (const [line, code] of [
      [{ sku: `NO-${randomUUID()}`, quantity: 1 }, 'unknown_sku'],
      [{ sku, quantity: 1, location: 'nowhere' }, 'unknown_location'],
    ] as const) {
      const { status, body } = await shop.post(`/api/orders/${id}/lines`, line);
      expect([status, body.code, body.orderId]).toEqual([422, code, id]);
    }
    expect((await shop.get(`/api/orders/${id}`)).body).toMatchObject({ status: 'reserved', lines: [{ quantity: 2 }] });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 2, available: 1 });
  });

  test('is refused if stock is short, and the order stays as it was', async () => {
    const [first, second] = [await shop.product(5), await shop.product(1)];
    const id = await shop.reserved(first, 2);
    const { body: before } = await shop.get(`/api/orders/${id}`);
    const { status, body } = await shop.post(`/api/orders/${id}/lines`, { sku: second, quantity: 2 });
    expect([status, body.code, body.available, body.requested]).toEqual([409, 'insufficient_stock', 1, 2]);
    expect((await shop.get(`/api/orders/${id}`)).body).toEqual(before);
    expect(await shop.stock(first)).toEqual({ onHand: 5, reserved: 2, available: 3 });
  });

  test('restarts the hold of the whole order', async () => {
    const [first, second] = [await shop.product(5), await shop.product(5)];
    const id = await shop.reserved(first);
    const { body: before } = await shop.get(`/api/orders/${id}`);
    const { body: after } = await shop.must(201, shop.post(`/api/orders/${id}/lines`, { sku: second, quantity: 1 }));
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.parse(before.expiresAt));
    const holds = await Promise.all(
      (after.lines as { reservationId: string }[]).map(({ reservationId }) =>
        shop.get(`/api/reservations/${reservationId}`),
      ),
    );
    for (const { body } of holds)
      expect(Date.parse(body.expiresAt)).toBeGreaterThanOrEqual(Date.parse(after.expiresAt) - 1000);
  });

  test('to a confirmed order is refused', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku);
    await shop.must(200, shop.confirm(id, 'tok_visa'));
    const { status, body } = await shop.post(`/api/orders/${id}/lines`, { sku, quantity: 1 });
    expect([status, body.code, body.from]).toEqual([409, 'invalid_order_state', 'confirmed']);
  });
});

describe('the order list', () => {
  test('finds orders by customer and by status, newest first, in pages', async () => {
    const sku = await shop.product(10);
    const customer = { id: `cus_${randomUUID()}` };
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.unshift(await shop.reserved(sku, 1, { customer }));
    await shop.must(200, shop.cancel(ids[1] ?? ''));
    const all = await shop.get(`/api/orders?customerId=${customer.id}`);
    expect(all.body.items.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(all.body.nextCursor).toBeNull();
    const cancelled = await shop.get(`/api/orders?customerId=${customer.id}&status=cancelled`);
    expect(cancelled.body.items.map(({ id }: { id: string }) => id)).toEqual([ids[1]]);
    const first = await shop.get(`/api/orders?customerId=${customer.id}&limit=2`);
    const rest = await shop.get(
      `/api/orders?customerId=${customer.id}&limit=2&cursor=${encodeURIComponent(first.body.nextCursor)}`,
    );
    expect([...first.body.items, ...rest.body.items].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(rest.body.nextCursor).toBeNull();
  });
});

describe('an order that the client does not wait for', () => {
  test('is 202 with its current state, and continues by itself', async () => {
    const sku = await shop.product(2, 700);
    const { status, body } = await shop.post(
      '/api/orders',
      { lines: [{ sku, quantity: 1 }], payment: { cardToken: 'tok_slow_1500' }, confirm: true },
      { prefer: 'respond-async' },
    );
    expect(status).toBe(202);
    expect(['pending', 'reserved', 'confirming']).toContain(body.status);
    await eventually('the order to be confirmed', async () => (await shop.statusOf(body.id)) === 'confirmed');
    expect((await shop.get(`/api/orders/${body.id}`)).body.createdAt).toBe(body.createdAt);
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });
});

test('a timeline is listed in pages, oldest first, each continuing where the last one ended', async () => {
  const sku = await shop.product(5);
  const { body: draft } = await shop.must(201, shop.order({}));
  for (let line = 0; line < 3; line++)
    await shop.must(201, shop.post(`/api/orders/${draft.id}/lines`, { sku, quantity: 1 }, { prefer: 'wait=30' }));
  const whole = (await shop.must(200, shop.get(`/api/orders/${draft.id}/timeline`))).body;
  expect(whole.nextCursor).toBeNull();
  const first = (await shop.must(200, shop.get(`/api/orders/${draft.id}/timeline?limit=2`))).body;
  await shop.must(200, shop.cancel(draft.id));
  const paged = [...first.items];
  for (let { nextCursor } = first; nextCursor !== null; ) {
    const { body } = await shop.must(200, shop.get(`/api/orders/${draft.id}/timeline?limit=2&cursor=${nextCursor}`));
    expect(body.items.length).toBeLessThanOrEqual(2);
    paged.push(...body.items);
    nextCursor = body.nextCursor;
  }
  expect(paged.slice(0, whole.items.length)).toEqual(whole.items);
  expect(paged.at(-1)).toMatchObject({ to: 'cancelled' });
  expect(paged.map(({ to }) => to)).toEqual(['pending', 'draft', 'reserved', 'reserved', 'reserved', 'cancelled']);
  const [order] = (await shop.get('/api/orders?limit=1')).body.items;
  const foreign = Buffer.from(JSON.stringify([order.createdAt, order.id])).toString('base64url');
  expect((await shop.get(`/api/orders/${draft.id}/timeline?cursor=${foreign}`)).status).toBe(422);
});
