import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';

const shop = sharedShop();

async function newLocation(): Promise<string> {
  const code = `loc-${randomUUID().slice(0, 8)}`;
  await shop.must(201, shop.post('/api/locations', { code, name: code }));
  return code;
}

const receive = (sku: string, body: object) => shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, body));
const adjust = (sku: string, body: object) => shop.post(`/api/inventory/${sku}/adjustments`, body);

test('a receipt adds to stock on hand and returns the movement', async () => {
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

  test('that would make on hand negative, or less than reserved, is refused and changes nothing', async () => {
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

test('an unknown product is 404, an unknown location 422', async () => {
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

test('inventory adds up all locations and lists the open holds', async () => {
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
    reservationCount: 1,
    reservations: [{ id: hold.body.id, quantity: 2, location: second, expiresAt: hold.body.expiresAt, orderId: null }],
  });
  const there = await shop.must(200, shop.get(`/api/inventory/${sku}?location=${second}`));
  expect(there.body).toMatchObject({ onHand: 3, reserved: 2, available: 1 });
  const listed = await shop.must(200, shop.get('/api/inventory?limit=200'));
  expect(listed.body.items.find((item: { sku: string }) => item.sku === sku)).toEqual(body);
});

test('stock at a past time is exact to the movement', async () => {
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
  // The same moment in another time zone.
  const [first = ''] = times;
  expect(await at(first.replace('Z', '+00:00'))).toBe(5);
  for (const wrong of ['yesterday', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01'])
    expect((await shop.get(`/api/inventory/${sku}?at=${wrong}`)).status).toBe(422);
});

test('inventory shows the number of open holds and the newest 20; a list has all, newest first, in pages', async () => {
  const sku = await shop.product(30);
  const second = await newLocation();
  await receive(sku, { quantity: 2, location: second });
  const hold = async (location: string): Promise<string> =>
    (await shop.must(201, shop.post('/api/reservations', { sku, quantity: 1, location }))).body.id;
  const held: string[] = [];
  for (let number = 1; number <= 24; number++) held.unshift(await hold(number % 12 === 0 ? second : 'main'));
  const ended = held[3] ?? '';
  await shop.must(200, shop.post(`/api/reservations/${ended}/cancel`));
  const open = held.filter((id) => id !== ended);

  const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
  const ids = (holds: { id: string }[]) => holds.map(({ id }) => id);
  expect(body.reservationCount).toBe(23);
  expect(ids(body.reservations)).toEqual(open.slice(0, 20));
  const there = await shop.must(200, shop.get(`/api/inventory/${sku}?location=${second}`));
  expect(there.body.reservationCount).toBe(2);
  expect(ids(there.body.reservations)).toEqual([held[0], held[12]]);
  const listed = await shop.must(200, shop.get('/api/inventory?limit=200'));
  expect(listed.body.items.find((item: { sku: string }) => item.sku === sku)).toEqual(body);

  const paged: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await shop.must(200, shop.get(`/api/inventory/${sku}/reservations?limit=5${cursor}`));
    paged.push(...ids(page.body.items));
    if (page.body.nextCursor === null) break;
    // A hold made meanwhile is newer than all that follow, so it appears on no later page and shifts none.
    if (cursor === '') await hold('main');
    cursor = `&cursor=${page.body.nextCursor}`;
  }
  expect(paged).toEqual(open);
  const one = await shop.must(200, shop.get(`/api/inventory/${sku}/reservations?location=${second}`));
  expect(ids(one.body.items)).toEqual([held[0], held[12]]);
  expect((await shop.get('/api/inventory/NOT-THERE/reservations')).status).toBe(404);
  expect((await shop.get(`/api/inventory/${sku}/reservations?location=nowhere`)).body.code).toBe('unknown_location');
});

test('a past moment has no list of holds, only the reserved quantity', async () => {
  const sku = await shop.product(3);
  const hold = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 2 }));
  const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}?at=${hold.body.createdAt}`));
  expect(body).toMatchObject({ onHand: 3, reserved: 2, available: 1 });
  expect(body).not.toHaveProperty('reservations');
  expect(body).not.toHaveProperty('reservationCount');
});

describe('a moment in `at`', () => {
  test.each(['2026-11-01T00:00:00%2B16:00', '9999-12-31T23:59:59-00:00', '0001-01-01T00:00:00Z'])(
    '%s is understood',
    async (at) => {
      expect((await shop.get(`/api/inventory/${await shop.product(0)}?at=${at}`)).status).toBe(200);
    },
  );

  test.each([
    '2026-11-01T24:00:00Z',
    '2016-12-31T23:59:60Z',
    '9999-12-31T23:59:59-01:00',
    'infinity',
    '%00',
    '%ED%A0%80',
  ])('%s is refused before Postgres sees it', async (at) => {
    const refused = await shop.get(`/api/inventory/${await shop.product(0)}?at=${at}`);
    expect([refused.status, refused.body.code]).toEqual([422, 'validation_failed']);
  });

  test('with a plus that arrived as a space is refused with a hint how to write it', async () => {
    const refused = await shop.get(`/api/inventory/${await shop.product(0)}?at=2026-11-01T00:00:00+02:00`);
    expect(refused.body.errors).toMatchObject([{ pointer: '/at', detail: expect.stringContaining('%2B') }]);
  });
});

describe.each([
  '/api/orders',
  '/api/inventory',
  '/api/products',
  '/api/payments',
  '/api/transfers',
  '/api/replenishments',
  '/api/purchase-orders',
  '/api/reviews',
  '/api/keys',
  '/api/suppliers',
])('a cursor of %s', (path) => {
  test.each([
    ['another offset', ['2026-11-01 00:00:00+16', 'x']],
    ['no such day', ['2026-02-30 00:00:00+00', 'x']],
    ['a NUL', ['2026-11-01 00:00:00+00', '\u0000']],
    ['half of a pair', ['2026-11-01 00:00:00+00', '\ud800']],
    ['a number out of range', ['2026-11-01 00:00:00+00', '9'.repeat(128)]],
    ['no text', [1, 2]],
  ])('with %s does not cause an error', async (_what, content) => {
    const cursor = Buffer.from(JSON.stringify(content)).toString('base64url');
    expect([200, 422]).toContain((await shop.get(`${path}?cursor=${cursor}`)).status);
  });
});

test('movements list every change, newest first, in pages', async () => {
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

test('the ledger can be verified', async () => {
  expect(await shop.verified()).toEqual({ clean: true, differences: [] });
});
