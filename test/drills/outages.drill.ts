import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Connection, connect } from '../../db/postgres/client.js';
import { ownStack, quickSettings } from '../setup/own-stack.js';
import { startSecondApi } from '../setup/second-api.js';
import { type Answer, eventually, Shop } from '../shop.js';
import { expectWhole, insist } from './buying.js';

const own = ownStack({ WORKERS: '2' });

describe.each(['postgres', 'temporal', 'api', 'worker', 'sandbox'] as const)(
  'kill -9 of %s while 20 orders are under way',
  (victim) => {
    test.each([50, 300, 900])('after %i ms loses nothing and doubles nothing', async (afterMs) => {
      const sku = await own.shop.product(20);
      // Slow enough to be caught in the middle: 40 money calls, each 400 ms.
      const buying = Array.from({ length: 20 }, () => insist(own.shop, sku, 'tok_slow_400'));
      await sleep(afterMs);
      const killed = await own.stack.kill(victim);
      const answers = await Promise.all(buying);
      await own.stack.waitRestarted(victim, killed);
      // Every connection must be ready, so make more concurrent reads than the API has connections.
      await eventually('the stack to be ready', async () => {
        const reads = await Promise.all(Array.from({ length: 40 }, () => own.shop.get(`/api/inventory/${sku}`)));
        return reads.every(({ status }) => status === 200);
      });
      const sold = await expectWhole(own.shop, sku, 20, answers);
      // A payment may only be given up if the processor itself was down for long.
      if (victim !== 'sandbox') expect(sold).toBe(20);
    });
  },
);

describe('kill -9 of postgres exactly while an order is settling', () => {
  test('after the capture, before the answer: the order is confirmed once, and the money is taken once', async () => {
    const sku = await own.shop.product(1);
    const id = await own.shop.reserved(sku);
    const confirming = own.shop.confirm(id, 'tok_slow_400');
    await eventually('the order to be confirming', async () => (await own.shop.statusOf(id)) === 'confirming');
    // Locking the order's row makes settling wait for it, and then Postgres dies.
    const rival = connect(own.stack.databaseUrl, { applicationName: 'drill', maxConnections: 2 });
    const holding = rival.sql
      .begin(async (tx) => {
        await tx`select from orders where id = ${id} for update`;
        await sleep(60_000); // until the server is killed under it
      })
      .catch(() => 'the connection died with the server');
    await eventually('settling to wait for the row', async () => {
      const [waiting] = await rival.sql<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity
         where wait_event_type = 'Lock' and query like '%order_apply%'`;
      return waiting !== undefined && waiting.count > 0;
    });
    expect(await own.shop.books(id)).toMatchObject([{ status: 'captured' }]);
    const killed = await own.stack.kill('postgres');
    await own.stack.waitRestarted('postgres', killed);
    await rival.close();
    void holding;
    await confirming;
    await eventually('the order to be confirmed', async () => (await own.shop.statusOf(id)) === 'confirmed');
    expect(await own.shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
    expect(await own.shop.books(id)).toMatchObject([{ status: 'captured', captured: 1000, refunded: 0 }]);
    expect(await own.shop.path(id)).toEqual(['pending', 'reserved', 'confirming', 'confirmed']);
    expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
  });
});

/** Longer than the single-activity purchase may take. The rest of it then runs unseen by the workflow. */
const holdMs = 7000;

describe('a purchase that Postgres blocks for longer than an activity may take', () => {
  async function holding<T>(what: (rival: Connection['sql']) => Promise<T>): Promise<T> {
    const rival = connect(own.stack.databaseUrl, { applicationName: 'drill', maxConnections: 2 });
    try {
      return await what(rival.sql);
    } finally {
      await rival.close();
    }
  }

  async function boughtOnce(id: string, sku: string) {
    await eventually('the order to be confirmed', async () => (await own.shop.statusOf(id)) === 'confirmed');
    // By then everything still running has ended and has done nothing twice.
    await sleep(2000);
    expect(await own.shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
    expect(await own.shop.books(id)).toMatchObject([{ status: 'captured', captured: 1000, refunded: 0 }]);
    expect((await own.shop.path(id)).slice(-2)).toEqual(['confirming', 'confirmed']);
    expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
  }

  test('as it begins is made once', async () => {
    const sku = await own.shop.product(2);
    const { body } = await holding((rival) =>
      rival.begin(async (tx) => {
        await tx`select from stock_levels where sku = ${sku} for update`;
        const buying = own.shop.order({
          lines: [{ sku, quantity: 1 }],
          confirm: true,
          payment: { cardToken: 'tok_visa' },
        });
        await sleep(holdMs);
        return { buying };
      }),
    ).then(({ buying }) => buying);
    await boughtOnce(body.id, sku);
    expect(await own.shop.path(body.id)).toEqual(['pending', 'reserved', 'confirming', 'confirmed']);
  });

  test('after the capture is settled once', async () => {
    const { id, sku, confirming } = await holding((rival) =>
      eventually('an order to be caught between its capture and its settling', async () => {
        const sku = await own.shop.product(2);
        const id = await own.shop.reserved(sku);
        // The two money calls take 200 ms together, so they run in one activity with the settling.
        const confirming = own.shop.confirm(id, 'tok_slow_100');
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

/** A hanging server: its connections stay open, and it answers nothing. */
describe.each([
  ['one of two workers', 'worker', 1, [201, 202]],
  ['both workers', 'worker', 2, [202]],
  ['temporal', 'temporal', 1, [503]],
  ['sandbox', 'sandbox', 1, [202]],
] as const)('SIGSTOP of %s while 10 orders are under way', (_what, victim, count, statuses) => {
  test('leaves no request unanswered, and doubles nothing when it runs again', async () => {
    const sku = await own.shop.product(10);
    const other = await own.shop.product(1);
    const buying = Array.from({ length: 10 }, () => insist(own.shop, sku, 'tok_slow_400'));
    const key = { prefer: 'wait=1', 'idempotency-key': randomUUID() };
    const order = { lines: [{ sku: other, quantity: 1 }], confirm: true, payment: { cardToken: 'tok_visa' } };
    await sleep(300);
    const { [victim === 'worker' ? 'workers' : victim]: pid } = own.stack.pids;
    const pids = [pid ?? []].flat().slice(0, count);
    expect(pids).toHaveLength(count);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      // Let it run again only after every request has its answer.
      await own.shop.must(200, own.shop.get(`/api/orders?limit=5`));
      await own.shop.must(201, own.shop.post(`/api/inventory/${other}/receipts`, { quantity: 1 }));
      const answer = await own.shop.post('/api/orders', order, key);
      expect(statuses).toContain(answer.status);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    expect(await expectWhole(own.shop, sku, 10, await Promise.all(buying))).toBe(10);
    const again = await eventually('the order to be there', async () => {
      const answer = await own.shop.post('/api/orders', order, key);
      return answer.status < 300 && answer;
    });
    expect(await expectWhole(own.shop, other, 2, [again])).toBe(1);
  });
});

describe('SIGSTOP of an API process while 10 orders are under way', () => {
  test('lets another one answer them under the same keys, and doubles nothing when it runs again', async () => {
    const second = await startSecondApi(own.stack, quickSettings);
    try {
      const other = new Shop({ ...own.stack, apiUrl: second.url });
      const sku = await own.shop.product(10);
      const keys = Array.from({ length: 10 }, () => randomUUID());
      const order = { lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken: 'tok_slow_400' } };
      const first = keys.map((key) => own.shop.order(order, { 'idempotency-key': key }));
      await sleep(300);
      const { api } = own.stack.pids;
      process.kill(api, 'SIGSTOP');
      let answers: Answer[];
      try {
        answers = await Promise.all(keys.map((key) => insist(other, sku, 'tok_slow_400', key)));
      } finally {
        process.kill(api, 'SIGCONT');
      }
      // The calls that the stopped process had begun end now, with the same orders as answers.
      const late = await Promise.all(first);
      expect(late.map(({ body }) => body.id)).toEqual(answers.map(({ body }) => body.id));
      expect(await expectWhole(other, sku, 10, answers)).toBe(10);
    } finally {
      await second.stop();
    }
  });
});
