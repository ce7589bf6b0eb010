/** Subscriptions whose servers die: years of renewals, each step of a subscription's life, and a crowd that is due at once. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { type Answer, eventually, type Shop } from '../shop.js';
import { phases } from '../stack/crash/scenarios.js';
import {
  at,
  clockAt,
  command,
  monthly,
  newCustomer,
  paymentsOf,
  recordsOf,
  shown,
  subscribe,
  takenFor,
} from '../stack/subscriptions/subscriber.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  DUNNING_WAITS_SECONDS: '1,1',
  ADMISSION_LIMIT: '1000',
});

/** Sends a call like a client with a key: again, until the answer is definite. */
async function insist(path: string, body: object): Promise<Answer> {
  const headers = { prefer: 'wait=30', 'idempotency-key': randomUUID() };
  return await eventually(
    `a definite answer to ${path}`,
    async () => {
      const answer = await own.shop.post(path, body, headers);
      return answer.status < 500 && answer.body.code !== 'request_in_progress' && answer;
    },
    120_000,
  );
}

/** Advances the clock, whatever dies meanwhile. */
async function advanced(clock: string, to: string): Promise<void> {
  const { status, body } = await insist(`/api/test-clocks/${clock}/advance`, { to });
  expect([status, body.code]).toEqual([expect.toSatisfy((code) => code === 200 || code === 202), undefined]);
  await eventually(
    `the clock to be at ${to}`,
    async () => {
      const { body: found } = await own.shop.must(200, own.shop.get(`/api/test-clocks/${clock}`));
      return found.status === 'ready' && found.now === at(to);
    },
    240_000,
  );
}

/** Payments, records and the processor's books tell the same. */
async function expectBilled(shop: Shop, id: string, customerId: string, charges: readonly number[]): Promise<void> {
  const records = await recordsOf(shop, id);
  expect(records.map(({ charged, status }) => [charged, status])).toEqual(charges.map((amount) => [amount, 'paid']));
  const payments = await paymentsOf(shop, customerId);
  expect(payments.map(({ status }) => status)).toEqual(charges.map(() => 'captured'));
  expect(new Set(records.map(({ paymentId }) => paymentId))).toEqual(new Set(payments.map(({ id: each }) => each)));
  const total = charges.reduce((sum, amount) => sum + amount, 0);
  expect(await takenFor(shop, payments)).toEqual({ open: 0, net: total });
}

test('24 months with the worker and the API killed at random are 24 charges and 24 records', async () => {
  const { shop, stack } = own;
  const clock = await clockAt(shop, '2026-01-31T00:00:00Z');
  const customerId = newCustomer();
  // Each call to the processor takes a while, so that kills meet it.
  const request = { customerId, testClock: clock, cardToken: 'tok_slow_150' };
  const { body } = await shop.must(201, subscribe(shop, request));
  let over = false;
  const killing = (async () => {
    for (let kills = 0; !over; kills++) {
      await sleep(200 + Math.random() * 1500);
      const victim = kills % 3 === 2 ? 'api' : 'worker';
      await stack.waitRestarted(victim, await stack.kill(victim));
    }
  })();
  try {
    for (const to of ['2026-07-15T00:00:00Z', '2027-02-28T00:00:00Z', '2027-12-31T00:00:00Z'])
      await advanced(clock, to);
  } finally {
    over = true;
    await killing;
  }
  await eventually('the API to be ready', async () => (await shop.get(`/api/subscriptions/${body.id}`)).status === 200);
  await expectBilled(shop, body.id, customerId, Array(24).fill(1000));
  const starts = (await recordsOf(shop, body.id)).map(({ period }) => period.start.slice(0, 10));
  expect([starts[1], starts[2], starts.at(-1)]).toEqual(['2026-02-28', '2026-03-31', '2027-12-31']);
});

/** The activities of a subscription's life, each of which runs in it. */
const activities = [
  ...['storeCard', 'openSubscription', 'scoreFraud', 'authorizeCard', 'captureCard', 'settleSubscription'],
  ...['startAdvance', 'advanceClock', 'dueSubscription', 'changeSubscription', 'replaceSubscriptionCard'],
  ...['pauseSubscription', 'resumeSubscription', 'cancelSubscription'],
] as const;

describe.each(activities)('a subscription lives as if its worker had not been killed at %s', (activity) => {
  test.each(phases)('%s it acts', async (phase) => {
    const { shop } = own;
    const customerId = newCustomer();
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const crashed = crashAt(crashFolder, `${activity}.${phase}`);
    const created = await insist('/api/subscriptions', {
      ...{ customerId, plan: monthly, cardToken: 'tok_visa', testClock: clock },
    });
    const { id } = created.body;
    const tell = async (name: string, body: object = {}) => {
      const { status } = await insist(`/api/subscriptions/${id}/${name}`, body);
      expect([name, status]).toEqual([name, 200]);
    };
    await advanced(clock, '2026-02-01T00:00:00Z');
    await tell('change', { plan: { ...monthly, amount: 2000 } });
    await tell('payment-method', { cardToken: 'tok_mastercard' });
    await tell('pause');
    await advanced(clock, '2026-03-10T00:00:00Z');
    await tell('resume');
    await tell('cancel', { atPeriodEnd: true });
    await advanced(clock, '2026-04-10T00:00:00Z');
    await crashed();
    expect(await shown(shop, id)).toMatchObject({ status: 'cancelled', creditBalance: 0, failure: null });
    await expectBilled(shop, id, customerId, [1000, 1000, 1000, 2000]);
  });
});

describe('real timers', () => {
  test('start a subscription at its time, also after the worker died', async () => {
    const { shop, stack } = own;
    const customerId = newCustomer();
    const startAt = new Date(Date.now() + 5000).toISOString();
    const { body } = await shop.must(201, subscribe(shop, { customerId, startAt }));
    expect([body.status, await paymentsOf(shop, customerId)]).toEqual(['scheduled', []]);
    await stack.waitRestarted('worker', await stack.kill('worker'));
    await eventually('it to be active', async () => (await shown(shop, body.id)).status === 'active');
    await expectBilled(shop, body.id, customerId, [1000]);
  });

  test('renew a subscription, try its card again, and give it up', async () => {
    const { shop, stack } = own;
    const customerId = newCustomer();
    const { body } = await shop.must(201, subscribe(shop, { customerId, plan: { ...monthly, interval: 'day' } }));
    await nearlyOver(body.id);
    await eventually('a renewal', async () => (await recordsOf(shop, body.id)).length === 2);
    await expectBilled(shop, body.id, customerId, [1000, 1000]);
    await shop.must(200, command(shop, body.id, 'payment-method', { cardToken: 'tok_declined' }));
    await nearlyOver(body.id);
    await stack.waitRestarted('worker', await stack.kill('worker'));
    await eventually('it to be unpaid', async () => (await shown(shop, body.id)).status === 'unpaid');
    expect((await recordsOf(shop, body.id)).at(-1)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(await takenFor(shop, await paymentsOf(shop, customerId))).toEqual({ open: 0, net: 2000 });
  });

  /** Moves a subscription back in time, so that its period is over in a moment, and has its workflow read it. */
  async function nearlyOver(id: string): Promise<void> {
    const { shop, stack } = own;
    const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => undefined });
    await sql`
      with moved as (select date_trunc('second', period_end - clock_timestamp()) - interval '4 s' as by
                       from subscriptions where id = ${id})
      update subscriptions set anchor = anchor - by, period_start = period_start - by, period_end = period_end - by,
                               next_at = next_at - by
        from moved where id = ${id}`;
    await sql.end();
    for (const [name, body] of [
      ['cancel', { atPeriodEnd: true }],
      ['resume', {}],
    ] as const)
      await shop.must(200, command(shop, id, name, body));
  }
});

const crowd = 1000;

test('1,000 subscriptions that are due in the same second, while workers die, are charged once each', async () => {
  const { shop, stack } = own;
  const startAt = new Date(Date.now() + 150_000).toISOString();
  const customers = Array.from({ length: crowd }, newCustomer);
  const ids: string[] = [];
  const queue = customers.values();
  const client = async () => {
    for (const customerId of queue) {
      const { status, body } = await insist('/api/subscriptions', {
        customerId,
        plan: monthly,
        cardToken: 'tok_visa',
        startAt,
      });
      expect([status, body.status]).toEqual([201, 'scheduled']);
      ids.push(body.id);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  await sleep(Math.max(0, Date.parse(startAt) - Date.now()));
  for (let kills = 0; kills < 4; kills++) {
    await sleep(1500);
    await stack.waitRestarted('worker', await stack.kill('worker'));
  }
  await eventually(
    'all to be active',
    async () => {
      const { body } = await shop.must(200, shop.get('/api/subscriptions?status=scheduled&limit=1'));
      return body.items.length === 0;
    },
    240_000,
  );
  const books = (await Promise.all(customers.map(async (each) => takenFor(shop, await paymentsOf(shop, each))))) ?? [];
  expect(books.filter(({ open, net }) => open !== 0 || net !== 1000)).toEqual([]);
  for (const id of ids.slice(0, 50))
    expect(await recordsOf(shop, id)).toMatchObject([{ charged: 1000, status: 'paid' }]);
});
