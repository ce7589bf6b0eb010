import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { holdings } from '../../shop.js';
import { ownShops } from '../api/own-api.js';
import { crowd, exactlyAllSold } from './crowd.js';

const through = ownShops(2);
const shop = sharedShop();

describe('many at once', () => {
  test('200 buyers for 20 units through two API and two worker processes: exactly 20 are sold', () =>
    exactlyAllSold(20, through));

  test('of two buyers for the last unit, one gets it', async () => {
    for (let round = 0; round < 10; round++) {
      const sku = await shop.product(1);
      const answers = await Promise.all([0, 1].map((index) => through(index).order({ lines: [{ sku, quantity: 1 }] })));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
      expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 1, available: 0 });
    }
  });

  test('orders over the same two SKUs in opposite order never block one another', async () => {
    const [a, b] = [await shop.product(200), await shop.product(200)];
    const answers = await crowd(100, 32, (index) => {
      const lines = [
        { sku: a, quantity: 1 },
        { sku: b, quantity: 1 },
      ];
      return through(index).order({ lines: index % 4 < 2 ? lines : lines.toReversed() });
    });
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    expect(await shop.stock(a)).toEqual({ onHand: 200, reserved: 100, available: 100 });
    expect(await shop.stock(b)).toEqual({ onHand: 200, reserved: 100, available: 100 });
  });

  test('the same Idempotency-Key 50 times at once makes one order', async () => {
    const sku = await shop.product(100);
    const key = randomUUID();
    const customer = { id: `cus_${randomUUID()}` };
    const request = { lines: [{ sku, quantity: 1 }], customer, confirm: true, payment: { cardToken: 'tok_visa' } };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => through(index).order(request, { 'idempotency-key': key })),
    );
    const made = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status, body }) => status === 409 && body.code === 'request_in_progress');
    expect(made.length + waiting.length).toBe(50);
    expect(made.length).toBeGreaterThanOrEqual(1);
    const { body: listed } = await shop.get(`/api/orders?customerId=${customer.id}`);
    expect(listed.items).toHaveLength(1);
    expect(new Set(made.map(({ body }) => body.id))).toEqual(new Set([listed.items[0].id]));
    expect(await shop.stock(sku)).toEqual({ onHand: 99, reserved: 0, available: 99 });
    expect(holdings(await shop.books(listed.items[0].id))).toEqual({ open: 0, net: 1000 });
    const replayed = await shop.order(request, { 'idempotency-key': key });
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect(replayed.body.id).toBe(listed.items[0].id);
  });
});
