import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../shared.js';

const shop = sharedShop();

async function newLocation(): Promise<string> {
  const code = `loc-${randomUUID().slice(0, 8)}`;
  await shop.must(201, shop.post('/api/locations', { code, name: code }));
  return code;
}

const receive = (sku: string, body: object) => shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, body));
const adjust = (sku: string, body: object) => shop.post(`/api/inventory/${sku}/adjustments`, body);

test('a receipt adds to what is on hand and tells what it did', async () => {
  const sku = await shop.product(0);
  const { body } = await receive(sku, { quantity: 12, reference: 'po-1' });
  expect(body).toEqual({
    id: expect.stringMatching(/^mov_/),
    sku,
    location: 'main',
    kind: 'received',
    onHandDelta: 12,
    reservedDelta: 0,
    onHandAfter: 12,
    reservedAfter: 0,
    reference: 'po-1',
    reason: null,
    actor: expect.stringMatching(/^api_key:key_/),
    at: expect.stringMatching(/Z$/),
  });
  expect(await shop.stock(sku)).toEqual({ onHand: 12, reserved: 0, available: 12 });
});

describe('an adjustment', () => {
  test('goes either way, with its reason', async () => {
    const sku = await shop.product(10);
    const less = await shop.must(201, adjust(sku, { delta: -4, reason: 'broken' }));
    expect(less.body).toMatchObject({ kind: 'adjusted', onHandDelta: -4, onHandAfter: 6, reason: 'broken' });
    await shop.must(201, adjust(sku, { delta: 1, reason: 'found' }));
    expect((await shop.stock(sku)).onHand).toBe(7);
  });

  test('that would make on hand negative, or less than what is reserved, is refused and changes nothing', async () => {
    const sku = await shop.product(10);
    await shop.must(201, shop.post('/api/reservations', { sku, quantity: 8 }));
    const refused = await adjust(sku, { delta: -3, reason: 'lost' });
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'insufficient_stock',
      detail: 'insufficient stock: available=2, requested=3',
      sku,
      location: 'main',
      available: 2,
      requested: 3,
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 8, available: 2 });
  });
});

test.each([
  ['receipts', { quantity: 0 }],
  ['receipts', { quantity: 1.5 }],
  ['receipts', { quantity: 1_000_000_001 }],
  ['receipts', { quantity: '1' }],
  ['adjustments', { delta: 0, reason: 'x' }],
  ['adjustments', { delta: 1 }],
])('%s with %j are 422', async (what, body) => {
  const refused = await shop.post(`/api/inventory/${await shop.product(0)}/${what}`, body);
  expect([refused.status, refused.body.code]).toEqual([422, 'validation_failed']);
});

test('a product that is not there is 404, a location that is not there 422', async () => {
  const sku = await shop.product(0);
  expect((await shop.post('/api/inventory/NOT-THERE/receipts', { quantity: 1 })).status).toBe(404);
  expect((await adjust('NOT-THERE', { delta: 1, reason: 'x' })).status).toBe(404);
  expect((await shop.get('/api/inventory/NOT-THERE')).status).toBe(404);
  expect((await shop.get('/api/inventory/NOT-THERE/movements')).status).toBe(404);
  for (const location of ['nowhere', 'transit']) {
    const refused = await shop.post(`/api/inventory/${sku}/receipts`, { quantity: 1, location });
    expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([
      422,
      'unknown_location',
      '/location',
    ]);
    expect((await shop.get(`/api/inventory/${sku}?location=${location}`)).body.code).toBe('unknown_location');
  }
});

test('inventory adds up its locations, and names the open holds', async () => {
  const sku = await shop.product(5);
  const second = await newLocation();
  await receive(sku, { quantity: 3, location: second });
  const hold = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 2, location: second }));
  const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
  expect(body).toEqual({
    sku,
    onHand: 8,
    reserved: 2,
    available: 6,
    inTransit: 0,
    locations: expect.arrayContaining([
      { location: 'main', onHand: 5, reserved: 0, available: 5 },
      { location: second, onHand: 3, reserved: 2, available: 1 },
    ]),
    reservations: [{ id: hold.body.id, quantity: 2, location: second, expiresAt: hold.body.expiresAt, orderId: null }],
  });
  const there = await shop.must(200, shop.get(`/api/inventory/${sku}?location=${second}`));
  expect(there.body).toMatchObject({ onHand: 3, reserved: 2, available: 1 });
  const listed = await shop.must(200, shop.get('/api/inventory?limit=200'));
  expect(listed.body.items.find((item: { sku: string }) => item.sku === sku)).toEqual(body);
});

test('stock at a past time is what it was then, to the movement', async () => {
  const sku = await shop.product(0);
  const times: string[] = [];
  for (const quantity of [5, 7, 9]) {
    times.push((await receive(sku, { quantity })).body.at);
    await sleep(2);
  }
  const at = async (time: string) =>
    (await shop.must(200, shop.get(`/api/inventory/${sku}?at=${encodeURIComponent(time)}`))).body.onHand;
  expect(await Promise.all(times.map(at))).toEqual([5, 12, 21]);
  expect(await at('2000-01-01T00:00:00Z')).toBe(0);
  // The same moment by another clock.
  const [first = ''] = times;
  expect(await at(first.replace('Z', '+00:00'))).toBe(5);
  for (const wrong of ['yesterday', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01'])
    expect((await shop.get(`/api/inventory/${sku}?at=${wrong}`)).status).toBe(422);
});

test('movements tell everything that happened, newest first and in pages', async () => {
  const sku = await shop.product(10);
  const second = await newLocation();
  await receive(sku, { quantity: 1, location: second });
  const hold = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 4, reference: 'table 7' }));
  await shop.must(200, shop.post(`/api/reservations/${hold.body.id}/confirm`));
  const kinds: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}/movements?limit=1${cursor}`));
    kinds.push(...body.items.map((item: { kind: string; location: string }) => `${item.kind}@${item.location}`));
    cursor = body.nextCursor && `&cursor=${encodeURIComponent(body.nextCursor)}`;
  }
  expect(kinds).toEqual(['confirmed@main', 'reserved@main', `received@${second}`, 'received@main']);
  const there = await shop.must(200, shop.get(`/api/inventory/${sku}/movements?location=${second}`));
  expect(there.body.items.map((item: { onHandAfter: number }) => item.onHandAfter)).toEqual([1]);
  const held = await shop.must(200, shop.get(`/api/inventory/${sku}/movements`));
  expect(held.body.items[1]).toMatchObject({
    reservedDelta: 4,
    reservedAfter: 4,
    onHandDelta: 0,
    reference: 'table 7',
  });
});

test('the ledger says of itself whether it adds up', async () => {
  const { body } = await shop.must(200, shop.get('/api/ledger/verify'));
  expect(body).toEqual({ clean: true, differences: [] });
});
