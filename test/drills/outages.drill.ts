import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, connect } from '../../db/client.js';
import { type Stack, startStack } from '../setup/stack.js';
import { type Answer, eventually, holdings, Shop } from '../shop.js';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack({
    WORKERS: '2',
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
  shop = new Shop(stack);
});
afterAll(() => stack?.stop());

/** Buys as a client with a key would: repeats the same call until it has a definite answer. */
async function insist(sku: string, cardToken: string): Promise<Answer> {
  const key = randomUUID();
  return eventually('a definite answer', async () => {
    const answer = await shop.order(
      { lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken } },
      { 'idempotency-key': key },
    );
    const again = answer.status >= 500 || answer.body.code === 'request_in_progress';
    return !again && answer;
  });
}

describe.each(['postgres', 'temporal', 'api', 'worker', 'sandbox'] as const)(
  'kill -9 of %s while 20 orders are under way',
  (victim) => {
    test.each([50, 300, 900])('after %i ms loses nothing and doubles nothing', async (afterMs) => {
      const sku = await shop.product(20);
      // Slow enough to be caught in the middle: 40 money calls, each 400 ms.
      const buying = Array.from({ length: 20 }, () => insist(sku, 'tok_slow_400'));
      await sleep(afterMs);
      const killed = await stack.kill(victim);
      const answers = await Promise.all(buying);
      await stack.waitRestarted(victim, killed);
      // Ready is what every connection has to be: as many reads at once as the API has connections, and more.
      await eventually('the stack to be ready', async () => {
        const reads = await Promise.all(Array.from({ length: 40 }, () => shop.get(`/api/inventory/${sku}`)));
        return reads.every(({ status }) => status === 200);
      });
      const ids = answers.map(({ body }) => body.id ?? body.orderId);
      expect(new Set(ids).size).toBe(20);
      for (const id of ids)
        await eventually('the order to be decided', async () =>
          ['confirmed', 'reserved', 'failed'].includes(await shop.statusOf(id)),
        );
      const statuses = await Promise.all(ids.map((id) => shop.statusOf(id)));
      const sold = statuses.filter((status) => status === 'confirmed').length;
      const held = statuses.filter((status) => status === 'reserved').length;
      expect(await shop.stock(sku)).toEqual({ onHand: 20 - sold, reserved: held, available: 20 - sold - held });
      for (const [index, id] of ids.entries())
        expect(holdings(await shop.books(id))).toEqual({ open: 0, net: statuses[index] === 'confirmed' ? 1000 : 0 });
      expect((await shop.get('/api/ledger/verify')).body).toEqual({ clean: true, differences: [] });
      // Only where the processor itself was away for long may a payment have been given up.
      if (victim !== 'sandbox') expect(sold).toBe(20);
    });
  },
);

describe('kill -9 of postgres exactly while an order is being settled', () => {
  test('after the capture, before the answer: the order is confirmed once, and the money is taken once', async () => {
    const sku = await shop.product(1);
    const id = await shop.reserved(sku);
    const confirming = shop.confirm(id, 'tok_slow_400');
    await eventually('the order to be confirming', async () => (await shop.statusOf(id)) === 'confirming');
    // Whoever holds the order's row makes the settling wait for it: that is where Postgres dies.
    const rival = connect(stack.databaseUrl, { applicationName: 'drill', maxConnections: 2 });
    const holding = rival.sql
      .begin(async (tx) => {
        await tx`select from orders where id = ${id} for update`;
        await sleep(60_000); // until the server is killed under it
      })
      .catch(() => 'the connection died with the server');
    await eventually('the settling to wait for the row', async () => {
      const [waiting] = await rival.sql<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity
         where wait_event_type = 'Lock' and query like '%order_apply%'`;
      return waiting !== undefined && waiting.count > 0;
    });
    expect(await shop.books(id)).toMatchObject([{ status: 'captured' }]);
    const killed = await stack.kill('postgres');
    await stack.waitRestarted('postgres', killed);
    await rival.close();
    void holding;
    await confirming;
    await eventually('the order to be confirmed', async () => (await shop.statusOf(id)) === 'confirmed');
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
    expect(await shop.books(id)).toMatchObject([{ status: 'captured', captured: 1000, refunded: 0 }]);
    expect(await shop.path(id)).toEqual(['pending', 'reserved', 'confirming', 'confirmed']);
    expect((await shop.get('/api/ledger/verify')).body).toEqual({ clean: true, differences: [] });
  });
});

/** Longer than a purchase in one go may take; what is left of it goes on behind the workflow's back. */
const holdMs = 7000;

describe('a purchase that Postgres holds up for longer than an activity may take', () => {
  async function holding<T>(what: (rival: Connection['sql']) => Promise<T>): Promise<T> {
    const rival = connect(stack.databaseUrl, { applicationName: 'drill', maxConnections: 2 });
    try {
      return await what(rival.sql);
    } finally {
      await rival.close();
    }
  }

  async function boughtOnce(id: string, sku: string) {
    await eventually('the order to be confirmed', async () => (await shop.statusOf(id)) === 'confirmed');
    // Whatever still runs somewhere has ended by then, and has done nothing again.
    await sleep(2000);
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
    expect(await shop.books(id)).toMatchObject([{ status: 'captured', captured: 1000, refunded: 0 }]);
    expect((await shop.path(id)).slice(-2)).toEqual(['confirming', 'confirmed']);
    expect((await shop.get('/api/ledger/verify')).body).toEqual({ clean: true, differences: [] });
  }

  test('as it begins, is made once', async () => {
    const sku = await shop.product(2);
    const { body } = await holding((rival) =>
      rival.begin(async (tx) => {
        await tx`select from stock_levels where sku = ${sku} for update`;
        const buying = shop.order({ lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken: 'tok_visa' } });
        await sleep(holdMs);
        return { buying };
      }),
    ).then(({ buying }) => buying);
    await boughtOnce(body.id, sku);
    expect(await shop.path(body.id)).toEqual(['pending', 'reserved', 'confirming', 'confirmed']);
  });

  test('after the capture, is settled once', async () => {
    const { id, sku, confirming } = await holding((rival) =>
      eventually('an order to be caught between its capture and its settling', async () => {
        const sku = await shop.product(2);
        const id = await shop.reserved(sku);
        // The two money calls take 200 ms together: they are made in one go with the settling.
        const confirming = shop.confirm(id, 'tok_slow_100');
        const caught = await rival.begin(async (tx) => {
          for (;;) {
            const [order] = await tx<{ status: string }[]>`select status from orders where id = ${id}`;
            if (order?.status !== 'reserved') break;
          }
          const [locked] = await tx<{ status: string }[]>`select status from orders where id = ${id} for update`;
          if (locked?.status !== 'confirming') return false;
          await sleep(holdMs);
          return true;
        });
        return caught && { id, sku, confirming };
      }),
    );
    await confirming;
    await boughtOnce(id, sku);
  });
});
