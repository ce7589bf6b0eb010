import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import type { ServerName } from '../setup/stack.js';
import { eventually, holdings } from '../shop.js';

const rounds = 100;
const own = ownStack({
  WORKERS: '2',
  SUPPLIER_RECHECK_SECONDS: '0.1',
  SUPPLIER_MAX_DELAYED: '6',
  RESERVATION_TTL_SECONDS: '2',
  EXPIRY_SWEEP_SECONDS: '1',
});

const isCancelled = async (sku: string): Promise<boolean> =>
  (await own.shop.supplierCalls(sku)).some(({ kind }) => kind === 'reserve_cancel');

async function ended(id: string): Promise<string> {
  return eventually(`${id} to end`, async () => {
    const status = await own.shop.statusOf(id);
    return ['confirmed', 'cancelled', 'expired', 'failed'].includes(status) && status;
  });
}

test(`cancel against the supplier's ok, ${rounds} times: one wins, and stock, money and the supplier follow it`, async () => {
  const ends: Record<string, number> = {};
  const one = async () => {
    const sku = await own.shop.supplied(0);
    const payment = { cardToken: 'tok_visa' };
    const { body } = await own.shop.must(
      201,
      own.shop.order({ lines: [{ sku, quantity: 1 }], confirm: true, payment }),
    );
    await sleep(Math.random() * 300);
    const cancel = await own.shop.cancel(body.id);
    const status = await ended(body.id);
    expect([cancel.status, status]).toEqual(cancel.status === 200 ? [200, 'cancelled'] : [409, 'confirmed']);
    const came = (await own.shop.path(body.id)).includes('reserved');
    // Delivered goods are ours, however the order ended; the others are cancelled at the supplier.
    expect(await isCancelled(sku)).toBe(!came);
    const onHand = came && status === 'cancelled' ? 1 : 0;
    expect(await own.shop.stock(sku)).toEqual({ onHand, reserved: 0, available: onHand });
    expect(holdings(await own.shop.books(body.id))).toEqual({ open: 0, net: status === 'confirmed' ? 1000 : 0 });
    const end = `${status}, ${came ? 'goods came' : 'no goods'}`;
    ends[end] = (ends[end] ?? 0) + 1;
  };
  let left = rounds;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      while (left-- > 0) await one();
    }),
  );
  console.log(`  ended: ${JSON.stringify(ends)}`);
  expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(rounds);
  expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
});

test('neither timer nor sweep touches an order that waits longer than a hold lasts; its time starts afterwards', async () => {
  const sku = await own.shop.supplied(1, { status: [...Array(5).fill('delayed'), 'ok'] });
  const { body } = await own.shop.must(201, own.shop.order({ lines: [{ sku, quantity: 2 }] }));
  await sleep(3500);
  expect([await own.shop.statusOf(body.id), (await own.shop.stock(sku)).reserved]).toEqual(['awaiting_restock', 1]);
  await eventually('the order to be reserved', async () => (await own.shop.statusOf(body.id)) === 'reserved');
  expect((await own.shop.stock(sku)).reserved).toBe(2);
  expect(await ended(body.id)).toBe('expired');
  expect(await own.shop.stock(sku)).toEqual({ onHand: 2, reserved: 0, available: 2 });
});

describe('thirty orders that wait for their suppliers', () => {
  const waiting = () =>
    Promise.all(
      Array.from({ length: 30 }, async () => {
        const sku = await own.shop.supplied(1, { status: ['delayed', 'delayed', 'ok'] });
        const lines = [{ sku, quantity: 3 }];
        const { body } = await own.shop.order({ lines, confirm: true, payment: { method: 'external' } });
        return { sku, id: body.id };
      }),
    );

  test.each<ServerName>(['worker', 'temporal', 'postgres'])(
    'all get their goods once when %s is killed',
    async (server) => {
      const orders = await waiting();
      await own.stack.waitRestarted(server, await own.stack.kill(server));
      for (const { sku, id } of orders) {
        expect(await ended(id)).toBe('confirmed');
        expect(await own.shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
        const made = (await own.shop.supplierCalls(sku)).flatMap(({ ref }) => ref ?? []);
        expect(new Set(made).size).toBe(1);
      }
      expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
    },
  );

  test('get their goods, or fail and have them cancelled, when the suppliers themselves are killed', async () => {
    const orders = await waiting();
    await own.stack.waitRestarted('sandbox', await own.stack.kill('sandbox'));
    const ends: Record<string, number> = {};
    for (const { sku, id } of orders) {
      // With waits at a hundredth, three attempts end at once. What counts is that both sides agree.
      const end = await ended(id);
      expect(['confirmed', 'failed']).toContain(end);
      const left = end === 'confirmed' ? 0 : 1;
      expect(await own.shop.stock(sku)).toEqual({ onHand: left, reserved: 0, available: left });
      expect(await isCancelled(sku)).toBe(end === 'failed');
      if (end === 'failed')
        expect((await own.shop.get(`/api/orders/${id}`)).body.failure.code).toBe('supplier_unavailable');
      ends[end] = (ends[end] ?? 0) + 1;
    }
    console.log(`  ended: ${JSON.stringify(ends)}`);
    expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
  });
});
