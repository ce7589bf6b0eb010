import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { sharedShop } from '../../shared.js';
import { loseAnswer } from './lost-answer.js';
import { eventually } from './supplied.js';

const shop = sharedShop();
const connection = connect(inject('databaseUrl'), { applicationName: 'holdfast test', maxConnections: 1 });
afterAll(() => connection.close());

const bulk = (operations: readonly object[], headers = {}) => shop.post('/api/inventory/bulk', { operations }, headers);
const batch = (updates: readonly object[], headers = {}) => shop.post('/api/inventory/batch', { updates }, headers);

interface Entry {
  readonly index: number;
  readonly success: boolean;
}

describe('a bulk request', () => {
  it('does each of 100 operations on its own, with the results in the same order', async () => {
    const sku = await shop.product(60);
    const operations = Array.from({ length: 100 }, () => ({ operation: 'consume', sku, quantity: 1 }));
    const { status, body } = await bulk(operations);
    expect(status).toBe(200);
    expect(body).toMatchObject({ succeeded: 60, failed: 40, partialSuccess: true });
    expect(body.results.map(({ index }: Entry) => index)).toEqual(operations.map((_, index) => index));
    expect(body.results.map(({ success }: Entry) => success)).toEqual(operations.map((_, index) => index < 60));
    expect(body.results[59].result).toMatchObject({ operation: 'consume', sku, quantity: 1, onHand: 0 });
    expect(body.results[60]).toEqual({
      index: 60,
      success: false,
      error: { code: 'insufficient_stock', detail: 'insufficient stock: available=0, requested=1' },
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  });

  it('mixes operations, locations and refusals', async () => {
    const sku = await shop.product(10);
    const hold = (await shop.post('/api/reservations', { sku, quantity: 4 })).body.id;
    const orderId = await shop.reserved(sku, 1);
    const held = (await shop.get(`/api/orders/${orderId}`)).body.lines[0].reservationId;
    const { status, body } = await bulk([
      { operation: 'release', sku, quantity: 1, reservationId: hold },
      { operation: 'release', sku, quantity: 1, reservationId: held },
      { operation: 'reserve', sku, quantity: 2 },
      { operation: 'consume', sku: 'no-such-sku', quantity: 1 },
      { operation: 'consume', sku, quantity: 1, location: 'nowhere' },
      { operation: 'consume', sku, quantity: 4 },
    ]);
    expect(status).toBe(200);
    const codes = body.results.map(({ error }: { error?: { code: string } }) => error?.code ?? null);
    expect(codes).toEqual([null, 'invalid_state', null, 'unknown_sku', 'unknown_location', null]);
    expect(body).toMatchObject({ succeeded: 3, failed: 3, partialSuccess: true });
    expect(body.results[2].result.reservationId).toMatch(/^rsv_/);
    expect(await shop.stock(sku)).toEqual({ onHand: 6, reserved: 6, available: 0 });
  });

  it('is an error with all results if every operation failed', async () => {
    const sku = await shop.product(1);
    const { status, body } = await bulk([
      { operation: 'consume', sku, quantity: 2 },
      { operation: 'consume', sku: 'no-such-sku', quantity: 1 },
    ]);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'all_operations_failed', succeeded: 0, failed: 2, partialSuccess: false });
    expect(body.results.map(({ error }: { error: { code: string } }) => error.code)).toEqual([
      'insufficient_stock',
      'unknown_sku',
    ]);
    expect((await shop.stock(sku)).onHand).toBe(1);
  });

  it('acts once for an idempotency key, through any API process', async () => {
    const sku = await shop.product(100);
    const key = { 'idempotency-key': randomUUID() };
    const operations = Array.from({ length: 20 }, () => ({ operation: 'reserve', sku, quantity: 1 }));
    const first = await bulk(operations, key);
    const second = await sharedShop(1).post('/api/inventory/bulk', { operations }, key);
    expect(second.body).toEqual(first.body);
    expect(first.body).toMatchObject({ succeeded: 20, failed: 0, partialSuccess: false });
    expect((await shop.stock(sku)).reserved).toBe(20);
  });

  it('does each operation once even if the first answer was lost', async () => {
    const sku = await shop.product(10);
    const key = randomUUID();
    const operations = [
      { operation: 'reserve', sku, quantity: 3 },
      { operation: 'consume', sku, quantity: 3 },
      { operation: 'consume', sku, quantity: 9 },
      { operation: 'consume', sku, quantity: 3 },
    ];
    const first = await bulk(operations, { 'idempotency-key': key });
    expect(first.body).toMatchObject({ succeeded: 3, failed: 1 });
    await loseAnswer(connection.sql, key);
    // Refused operations stay refused, even if there is enough stock by now.
    await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 50 }));
    const second = await sharedShop(1).post('/api/inventory/bulk', { operations }, { 'idempotency-key': key });
    expect([second.status, second.headers.has('idempotency-replayed')]).toEqual([200, false]);
    expect(second.body).toEqual(first.body);
    expect(await shop.stock(sku)).toEqual({ onHand: 54, reserved: 3, available: 51 });
  });

  it.each([[[]], [Array.from({ length: 101 }, () => ({ operation: 'consume', sku: 'x', quantity: 1 }))]])(
    'takes 1 to 100 operations',
    async (operations) => {
      expect(await bulk(operations)).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    },
  );

  it('loses and invents nothing when many bulks compete for the same goods', async () => {
    const sku = await shop.product(500);
    const operations = Array.from({ length: 10 }, () => ({ operation: 'consume', sku, quantity: 1 }));
    let done = 0;
    const client = async (api: number) => {
      for (let round = 0; round < 8; round++) {
        const { body } = await sharedShop(api).post('/api/inventory/bulk', { operations });
        done += body.succeeded;
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => client(index)));
    expect(done).toBe(500);
    expect((await shop.stock(sku)).onHand).toBe(0);
    expect(await shop.verified()).toEqual({ clean: true, differences: [] });
  });
});

describe('a batch', () => {
  it('changes all levels together and returns them', async () => {
    const [a, b] = [await shop.product(10), await shop.product(10)];
    const { status, body } = await batch([
      { sku: a, quantity: -4 },
      { sku: b, quantity: 5 },
      { sku: a, quantity: 1, location: 'main' },
    ]);
    expect(status).toBe(200);
    const level = { reserved: 0, location: 'main', replenishmentTriggered: false };
    expect(body.updates).toEqual([
      { sku: a, quantity: -4, onHand: 7, available: 7, ...level },
      { sku: b, quantity: 5, onHand: 15, available: 15, ...level },
      { sku: a, quantity: 1, onHand: 7, available: 7, ...level },
    ]);
    expect((await shop.stock(a)).onHand).toBe(7);
  });

  it('does nothing if one update is impossible', async () => {
    const [a, b] = [await shop.product(10), await shop.product(3)];
    const lacking = await batch([
      { sku: a, quantity: 5 },
      { sku: b, quantity: -4 },
    ]);
    expect(lacking).toMatchObject({
      status: 409,
      body: { code: 'insufficient_stock', sku: b, available: 3, requested: 4, index: 1 },
    });
    const unknown = await batch([
      { sku: a, quantity: 5 },
      { sku: 'no-such-sku', quantity: 1 },
    ]);
    expect(unknown).toMatchObject({
      status: 422,
      body: { code: 'unknown_sku', errors: [{ pointer: '/updates/1/sku' }] },
    });
    expect((await shop.stock(a)).onHand).toBe(10);
    expect((await shop.stock(b)).onHand).toBe(3);
  });

  it.each([
    ['/updates', []],
    ['/updates', Array.from({ length: 101 }, () => ({ sku: 'x', quantity: 1 }))],
    ['/updates/1/quantity', [1, 0].map((quantity) => ({ sku: 'x', quantity }))],
    ['/updates/0/quantity', [{ sku: 'x', quantity: -1_000_000_001 }]],
  ])('takes 1 to 100 changes, none of them empty: %s', async (pointer, updates) => {
    const refused = await batch(updates);
    expect(refused).toMatchObject({ status: 422, body: { code: 'validation_failed', errors: [{ pointer }] } });
  });

  it('acts once for an idempotency key', async () => {
    const sku = await shop.product(10);
    const key = { 'idempotency-key': randomUUID() };
    const first = await batch([{ sku, quantity: 7 }], key);
    expect((await batch([{ sku, quantity: 7 }], key)).body).toEqual(first.body);
    expect((await shop.stock(sku)).onHand).toBe(17);
    await loseAnswer(connection.sql, key['idempotency-key']);
    expect((await batch([{ sku, quantity: 7 }], key)).body).toEqual(first.body);
    expect((await shop.stock(sku)).onHand).toBe(17);
  });
});

describe('the warehouse', () => {
  it('is notified of a batch by its total, and of a bulk by each operation', async () => {
    const [one, other, asWhole] = [await shop.product(50), await shop.product(50), await shop.product(50)];
    const told = async (sku: string) =>
      (await shop.mailTo('warehouse@holdfast.example')).filter(({ text }) => text.includes(sku));
    await bulk([
      { operation: 'consume', sku: one, quantity: 10 },
      { operation: 'consume', sku: one, quantity: 10 },
      { operation: 'consume', sku: other, quantity: 11 },
    ]);
    await batch([
      { sku: asWhole, quantity: -6 },
      { sku: asWhole, quantity: 5 },
    ]);
    await eventually('the warehouse to be notified of the bulk', async () => (await told(other)).length > 0);
    await eventually('the warehouse to be notified of the batch', async () => (await told(asWhole)).length > 0);
    expect([(await told(other)).length, (await told(asWhole)).length]).toEqual([1, 1]);
    expect(await told(one)).toEqual([]);
  });
});
