import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { eventually, holdings } from '../shop.js';
import { exactlyAllSold } from '../stack/concurrency/crowd.js';

const rounds = 100;
const own = ownStack({
  WORKERS: '2',
  RESERVATION_TTL_SECONDS: '3',
});

const settled = ['confirmed', 'cancelled', 'expired', 'failed'];

/** Waits for the end of an order and checks that stock and money match it. */
async function consistent(id: string, sku: string): Promise<string> {
  const status = await eventually('the order to end', async () => {
    const now = await own.shop.statusOf(id);
    return settled.includes(now) && now;
  });
  const sold = status === 'confirmed' ? 1 : 0;
  expect(await own.shop.stock(sku)).toEqual({ onHand: 1 - sold, reserved: 0, available: 1 - sold });
  expect(holdings(await own.shop.books(id))).toEqual({ open: 0, net: sold * 1000 });
  const ends = (await own.shop.path(id)).filter((step) => settled.includes(step));
  expect(ends).toEqual([status]);
  return status;
}

/** Does both in random order with a random pause, `rounds` times, several rounds at a time. Returns how often each end occurred. */
async function race(
  hold: (sku: string) => Promise<string>,
  first: (id: string) => Promise<unknown>,
  second: (id: string) => Promise<unknown>,
  pauseMs: number,
) {
  const ends: Record<string, number> = {};
  let left = rounds;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      while (left-- > 0) {
        const sku = await own.shop.product(1);
        const id = await hold(sku);
        const pair = Math.random() < 0.5 ? [first, second] : [second, first];
        await Promise.all([pair[0]?.(id), sleep(Math.random() * pauseMs).then(() => pair[1]?.(id))]);
        const end = await consistent(id, sku);
        ends[end] = (ends[end] ?? 0) + 1;
      }
    }),
  );
  expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(rounds);
  expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
  console.log(`  ended: ${JSON.stringify(ends)}`);
  return ends;
}

describe(`races, ${rounds} times each in random order: exactly one wins, and stock and money follow it`, () => {
  test('confirm against cancel', async () => {
    const ends = await race(
      (sku) => own.shop.reserved(sku),
      (id) => own.shop.confirm(id, 'tok_visa'),
      (id) => own.shop.cancel(id),
      60,
    );
    expect(Object.keys(ends).every((end) => end === 'confirmed' || end === 'cancelled')).toBe(true);
  });

  test('confirm against expiry', async () => {
    const nearTheEnd = async (id: string) => {
      const { body } = await own.shop.get(`/api/orders/${id}`);
      await sleep(Math.max(0, Date.parse(body.expiresAt) - Date.now() - 60 + Math.random() * 80));
      await own.shop.confirm(id, 'tok_visa');
    };
    const ends = await race(
      (sku) => own.shop.reserved(sku),
      nearTheEnd,
      () => Promise.resolve(),
      1,
    );
    expect(Object.keys(ends).every((end) => end === 'confirmed' || end === 'expired')).toBe(true);
  });

  test('cancel during the capture', async () => {
    const ends = await race(
      (sku) => own.shop.reserved(sku),
      (id) => own.shop.confirm(id, 'tok_slow_400'),
      (id) => sleep(Math.random() * 900).then(() => own.shop.cancel(id)),
      1,
    );
    expect(Object.keys(ends).every((end) => end === 'confirmed' || end === 'cancelled')).toBe(true);
  });
});

test('1,000 buyers for 100 units through two worker processes: exactly 100 are sold', () =>
  exactlyAllSold(100, () => own.shop));
