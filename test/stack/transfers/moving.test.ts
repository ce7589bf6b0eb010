import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { booksAgree, goods, rowsOf, send, untilStatus, whereabouts } from './goods.js';

const shops = [sharedShop(0), sharedShop(1)] as const;
const [shop] = shops;

describe('an immediate transfer', () => {
  test('has the goods at the destination when it answers, with a ledger row at each location', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const { status, body, headers } = await send(shop, { sku, quantity: 4, from, to });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...{ sku, quantity: 4, from, to, mode: 'immediate', status: 'completed' },
      ...{ received: 4, lost: 0, reason: null, failure: null, workflowId: `transfer/${body.id}` },
    });
    expect(body.id).toMatch(/^trf_/);
    expect(headers.get('location')).toBe(`/api/transfers/${body.id}`);
    expect(await whereabouts(shop, sku)).toEqual({ main: 6, [to]: 4, transit: 0, held: 0 });
    expect(await rowsOf(shop, sku, body.id)).toEqual([
      'reserved main 0',
      'cancelled main 0',
      'transferred_out main -4',
      `transferred_in ${to} 4`,
    ]);
    expect((await shop.get(`/api/transfers/${body.id}`)).body).toEqual(body);
    expect(await booksAgree(shop)).toBe(true);
  });

  test('of more than is available moves nothing and fails with the figures', async () => {
    const { sku, from, to } = await goods(shop, 3);
    const { status, body } = await send(shop, { sku, quantity: 4, from, to });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'insufficient_stock',
      detail: 'insufficient stock: available=3, requested=4',
      ...{ sku, location: 'main', available: 3, requested: 4 },
    });
    const { body: transfer } = await shop.must(200, shop.get(`/api/transfers/${body.transferId}`));
    expect(transfer).toMatchObject({
      status: 'failed',
      failure: { code: 'insufficient_stock', detail: body.detail },
      ...{ received: null, lost: null, reservationId: null },
    });
    expect(await whereabouts(shop, sku)).toEqual({ main: 3, transit: 0, held: 0 });
  });

  test('takes nothing that an order holds', async () => {
    const { sku, from, to } = await goods(shop, 5);
    await shop.reserved(sku, 3);
    expect((await send(shop, { sku, quantity: 3, from, to })).body).toMatchObject({
      code: 'insufficient_stock',
      available: 2,
    });
    expect((await send(shop, { sku, quantity: 2, from, to })).status).toBe(201);
    expect(await whereabouts(shop, sku)).toEqual({ main: 3, [to]: 2, transit: 0, held: 3 });
  });

  test('continues if the client does not wait', async () => {
    const { sku, from, to } = await goods(shop, 1);
    const { status, body } = await send(shop, { sku, quantity: 1, from, to }, { prefer: 'respond-async' });
    expect(status).toBe(202);
    expect(['pending', 'reserved', 'completed']).toContain(body.status);
    expect(await untilStatus(shop, body.id, 'completed')).toMatchObject({
      received: 1,
      createdAt: body.createdAt,
    });
  });

  test('requested 20 times at once with one Idempotency-Key moves once', async () => {
    const { sku, from, to } = await goods(shop, 100);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        send(shops[index % 2] ?? shop, { sku, quantity: 7, from, to }, { 'idempotency-key': key }),
      ),
    );
    const made = answers.filter(({ status }) => status === 201);
    const running = answers.filter(({ body }) => body.code === 'request_in_progress');
    expect(made.length + running.length).toBe(20);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    expect(await whereabouts(shop, sku)).toEqual({ main: 93, [to]: 7, transit: 0, held: 0 });
  });

  test('of the last unit, requested twice at once through two API processes, succeeds once', async () => {
    for (let round = 0; round < 10; round++) {
      const { sku, from, to } = await goods(shop, 1);
      const answers = await Promise.all(shops.map((one) => send(one, { sku, quantity: 1, from, to })));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
      expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 1, transit: 0, held: 0 });
    }
  });

  test('both ways between two locations, 40 at once, neither blocks nor loses goods', async () => {
    const { sku, from, to } = await goods(shop, 100);
    await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 100, location: to }));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        send(shops[index % 2] ?? shop, { sku, quantity: 1, ...(index % 2 ? { from, to } : { from: to, to: from }) }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    expect(await whereabouts(shop, sku)).toEqual({ main: 100, [to]: 100, transit: 0, held: 0 });
  });
});

describe('an impossible transfer is refused and leaves no row:', () => {
  test.each([
    ['source and destination the same', { to: 'main' }, 'same_location', '/to'],
    ['no such product', { sku: 'no-such-sku' }, 'unknown_sku', '/sku'],
    ['no such source', { from: 'no-such-place' }, 'unknown_location', '/from'],
    ['no such destination', { to: 'no-such-place' }, 'unknown_location', '/to'],
    ['from a virtual location', { from: 'transit' }, 'unknown_location', '/from'],
    ['to a virtual location', { to: 'transit' }, 'unknown_location', '/to'],
    ['quantity 0', { quantity: 0 }, 'validation_failed', '/quantity'],
    ['half a unit', { quantity: 1.5 }, 'validation_failed', '/quantity'],
    ['more than the largest quantity', { quantity: 1_000_000_001 }, 'validation_failed', '/quantity'],
    ['no such mode', { mode: 'teleported' }, 'validation_failed', '/mode'],
    ['an unknown field', { via: 'rail' }, 'validation_failed', '/via'],
    ['no source', { from: undefined }, 'validation_failed', '/from'],
  ])('%s', async (_what, change, code, pointer) => {
    const there = await goods(shop, 5);
    const request = { ...there, quantity: 1, ...change };
    const { status, body } = await shop.post('/api/transfers', request);
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, code, pointer]);
    expect(body.transferId).toBeUndefined();
    const { body: listed } = await shop.must(200, shop.get(`/api/transfers?sku=${there.sku}`));
    expect(listed.items).toEqual([]);
    expect(await whereabouts(shop, there.sku)).toEqual({ main: 5, transit: 0, held: 0 });
  });
});

describe('transfers can be read', () => {
  test('newest first, in pages, by product and by status', async () => {
    const { sku, from, to } = await goods(shop, 2);
    const made: string[] = [];
    for (let count = 0; count < 2; count++) made.push((await send(shop, { sku, quantity: 1, from, to })).body.id);
    const { body: refused } = await send(shop, { sku, quantity: 1, from, to });
    const { body: first } = await shop.must(200, shop.get(`/api/transfers?sku=${sku}&limit=2`));
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual([refused.transferId, made[1]]);
    const { body: second } = await shop.must(
      200,
      shop.get(`/api/transfers?sku=${sku}&limit=2&cursor=${first.nextCursor}`),
    );
    expect(second.items.map(({ id }: { id: string }) => id)).toEqual([made[0]]);
    expect(second.nextCursor).toBeNull();
    const { body: failed } = await shop.must(200, shop.get(`/api/transfers?sku=${sku}&status=failed`));
    expect(failed.items.map(({ id }: { id: string }) => id)).toEqual([refused.transferId]);
  });

  test.each(['', '/receive', '/cancel'])('one that does not exist is 404 at /:id%s', async (verb) => {
    const path = `/api/transfers/trf_${randomUUID().replaceAll('-', '')}${verb}`;
    const { status, body } = await (verb === '' ? shop.get(path) : shop.post(path, {}));
    expect([status, body.code]).toEqual([404, 'not_found']);
  });

  test('only with the scope for it', async () => {
    const made = await shop.must(201, shop.post('/api/keys', { name: 'reader', scopes: ['supply:read'] }));
    const authorization = `Bearer ${made.body.key}`;
    const { sku, from, to } = await goods(shop, 1);
    expect((await shop.call('GET', '/api/transfers', undefined, { authorization })).status).toBe(200);
    const { status, body } = await send(shop, { sku, quantity: 1, from, to }, { authorization });
    expect([status, body.code]).toEqual([403, 'forbidden']);
    expect(await whereabouts(shop, sku)).toEqual({ main: 1, transit: 0, held: 0 });
  });
});
