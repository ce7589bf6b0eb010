import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';

const shop = sharedShop();
const hold = (body: object) => shop.post('/api/reservations', body);
const decide = (id: string, verb: 'confirm' | 'cancel') => shop.post(`/api/reservations/${id}/${verb}`);

test('a reservation holds goods until it expires, and can be read', async () => {
  const sku = await shop.product(10);
  const before = Date.now();
  const { body } = await shop.must(201, hold({ sku, quantity: 4, expiresInSeconds: 600, reference: 'cart 1' }));
  expect(body).toEqual({
    id: expect.stringMatching(/^rsv_/),
    sku,
    location: 'main',
    quantity: 4,
    status: 'pending',
    orderId: null,
    reference: 'cart 1',
    expiresAt: expect.any(String),
    createdAt: expect.any(String),
    decidedAt: null,
  });
  expect(Math.abs(Date.parse(body.expiresAt) - before - 600_000)).toBeLessThan(60_000);
  expect((await shop.get(`/api/reservations/${body.id}`)).body).toEqual(body);
  expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 4, available: 6 });
});

test('confirming takes the goods out once, however often it is called', async () => {
  const sku = await shop.product(10);
  const { body } = await shop.must(201, hold({ sku, quantity: 4 }));
  const first = await shop.must(200, decide(body.id, 'confirm'));
  expect(first.body.status).toBe('confirmed');
  const second = await shop.must(200, decide(body.id, 'confirm'));
  expect(second.body).toEqual(first.body);
  expect(await shop.stock(sku)).toEqual({ onHand: 6, reserved: 0, available: 6 });
});

test('cancelling returns the goods once, however often it is called', async () => {
  const sku = await shop.product(10);
  const { body } = await shop.must(201, hold({ sku, quantity: 4 }));
  const answers = await Promise.all(Array.from({ length: 5 }, () => decide(body.id, 'cancel')));
  expect(answers.map(({ status, body: { status: to } }) => [status, to])).toEqual(Array(5).fill([200, 'cancelled']));
  expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 0, available: 10 });
});

test('a confirmed reservation cannot be cancelled, nor a cancelled one confirmed', async () => {
  const sku = await shop.product(10);
  for (const [verb, opposite, status] of [
    ['confirm', 'cancel', 'confirmed'],
    ['cancel', 'confirm', 'cancelled'],
  ] as const) {
    const { body } = await shop.must(201, hold({ sku, quantity: 1 }));
    await shop.must(200, decide(body.id, verb));
    const refused = await decide(body.id, opposite);
    expect(refused.body).toMatchObject({ status: 409, code: 'reservation_decided', reservationStatus: status });
  }
});

test('of a concurrent confirm and cancel exactly one wins, and the stock follows it', async () => {
  for (let round = 0; round < 10; round++) {
    const sku = await shop.product(3);
    const { body } = await shop.must(201, hold({ sku, quantity: 3 }));
    const [confirmed, cancelled] = await Promise.all([decide(body.id, 'confirm'), decide(body.id, 'cancel')]);
    expect([confirmed.status, cancelled.status].sort()).toEqual([200, 409]);
    expect((await shop.stock(sku)).onHand).toBe(confirmed.status === 200 ? 0 : 3);
  }
});

test('an expired reservation cannot be confirmed, swept or not, but can be cancelled', async () => {
  const sku = await shop.product(2);
  const { body } = await shop.must(201, hold({ sku, quantity: 2, expiresInSeconds: 1 }));
  await sleep(1100);
  const refused = await decide(body.id, 'confirm');
  expect(refused.body).toMatchObject({ status: 409, code: 'reservation_decided', reservationStatus: 'expired' });
  const { body: stock } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
  expect([stock.onHand, stock.reservations]).toEqual([2, []]);
  // If a sweep was faster, nothing is left to release.
  const given = await decide(body.id, 'cancel');
  if (given.status !== 200)
    expect(given.body).toMatchObject({ code: 'reservation_decided', reservationStatus: 'expired' });
  expect(await shop.stock(sku)).toEqual({ onHand: 2, reserved: 0, available: 2 });
});

describe('no reservation is made', () => {
  test('for more than is available', async () => {
    const sku = await shop.product(3);
    const refused = await hold({ sku, quantity: 5 });
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'insufficient_stock',
      detail: 'insufficient stock: available=3, requested=5',
      sku,
      location: 'main',
      available: 3,
      requested: 5,
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('for an unknown product or location, or a product that is not for sale', async () => {
    const sku = await shop.product(3);
    const draft = `D-${randomUUID().slice(0, 8)}`;
    const price = { amount: 1, currency: 'USD' };
    await shop.must(201, shop.post('/api/products', { sku: draft, name: 'x', price, status: 'draft' }));
    await shop.must(201, shop.post(`/api/inventory/${draft}/receipts`, { quantity: 1 }));
    const codes = await Promise.all(
      [
        hold({ sku: 'NOT-THERE', quantity: 1 }),
        hold({ sku, quantity: 1, location: 'nowhere' }),
        hold({ sku: draft, quantity: 1 }),
        hold({ sku, quantity: 0 }),
        hold({ sku, quantity: 1, expiresInSeconds: 0 }),
      ].map(async (answer) => [(await answer).status, (await answer).body.code]),
    );
    expect(codes).toEqual([
      [422, 'unknown_sku'],
      [422, 'unknown_location'],
      [409, 'product_not_active'],
      [422, 'validation_failed'],
      [422, 'validation_failed'],
    ]);
  });
});

test('a reservation can be confirmed after its product is archived, but no new one is made', async () => {
  const sku = await shop.product(3);
  const { body } = await shop.must(201, hold({ sku, quantity: 2 }));
  await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { status: 'archived' }));
  const refused = await hold({ sku, quantity: 1 });
  expect([refused.status, refused.body.code]).toEqual([409, 'product_not_active']);
  expect((await shop.must(200, decide(body.id, 'confirm'))).body.status).toBe('confirmed');
  expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
});

test('a reservation that does not exist is 404', async () => {
  expect((await shop.get('/api/reservations/rsv_none')).status).toBe(404);
  expect((await decide('rsv_none', 'confirm')).status).toBe(404);
});

test("only the order can decide an order's hold", async () => {
  const sku = await shop.product(2);
  const id = await shop.reserved(sku, 2);
  const { reservationId } = (await shop.must(200, shop.get(`/api/orders/${id}`))).body.lines[0];
  for (const verb of ['confirm', 'cancel'] as const) {
    const refused = await decide(reservationId, verb);
    expect([refused.status, refused.body.code, refused.body.orderId]).toEqual([409, 'invalid_state', id]);
  }
  expect(await shop.stock(sku)).toEqual({ onHand: 2, reserved: 2, available: 0 });
});
