/** Many purchases at once despite failures, and the check that nothing was lost or doubled. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type Answer, eventually, holdings, type Shop } from '../shop.js';

/** Buys one unit like a client with a key: repeats the call until it gets a definite answer. */
export async function insist(shop: Shop, sku: string, cardToken: string, key: string = randomUUID()): Promise<Answer> {
  return eventually(
    'a definite answer',
    async () => {
      const answer = await shop.order(
        { lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken } },
        { 'idempotency-key': key },
      );
      const again = answer.status >= 500 || answer.body.code === 'request_in_progress';
      return !again && answer;
    },
    120_000,
  );
}

/**
 * Waits until the orders in these answers, which must be all orders of the SKU, have ended or are reserved. Then checks
 * stock, money and ledger against each other. Returns how many were confirmed.
 */
export async function expectWhole(shop: Shop, sku: string, stock: number, answers: readonly Answer[]): Promise<number> {
  const ids = answers.map(({ body }) => body.id ?? body.orderId);
  expect(new Set(ids).size).toBe(answers.length);
  for (const id of ids)
    await eventually('the order to be decided', async () =>
      ['confirmed', 'reserved', 'failed'].includes(await shop.statusOf(id)),
    );
  const statuses = await Promise.all(ids.map((id) => shop.statusOf(id)));
  const sold = statuses.filter((status) => status === 'confirmed').length;
  const held = statuses.filter((status) => status === 'reserved').length;
  expect(await shop.stock(sku)).toEqual({ onHand: stock - sold, reserved: held, available: stock - sold - held });
  for (const [index, id] of ids.entries())
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: statuses[index] === 'confirmed' ? 1000 : 0 });
  expect(await shop.verified()).toEqual({ clean: true, differences: [] });
  return sold;
}
