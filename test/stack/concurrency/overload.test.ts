/** Calls that start sagas are admitted as fast as sagas are decided. A burst waits, lasting overload is refused, and all other calls are served. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { sharedShop } from '../../shared.js';
import { type Answer, eventually, holdings, type Shop } from '../../shop.js';
import { type OwnApi, ownShops, startOwnApi } from '../api/own-api.js';

const connection = connect(inject('databaseUrl'), { applicationName: 'test', maxConnections: 2 });
afterAll(() => connection.close());

/** A metric of admission, as Prometheus reads it. */
async function figure({ url }: OwnApi, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^holdfast_admission_${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

async function begunBy(shop: Shop, customerId: string): Promise<number> {
  const { body } = await shop.must(200, shop.get(`/api/orders?customerId=${customerId}&limit=200`));
  return body.items.length;
}

describe('a burst of orders', () => {
  const own = ownShops(1);
  test('of 200 is accepted whole, each paid once and confirmed', async () => {
    const shop = own(0);
    const sku = await shop.product(200);
    const payment = { cardToken: 'tok_visa' };
    const answers = await Promise.all(
      // The wait of a client that does not set one.
      Array.from({ length: 200 }, () =>
        shop.post('/api/orders', { lines: [{ sku, quantity: 1 }], confirm: true, payment }),
      ),
    );
    // A slow machine answers 202 and continues.
    expect(answers.filter(({ status }) => status !== 201 && status !== 202).map(({ body }) => body)).toEqual([]);
    await eventually('all to be sold', async () => (await shop.stock(sku)).onHand === 0);
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
    for (const { body } of answers) expect(holdings(await shop.books(body.id))).toEqual({ open: 0, net: 1000 });
  });
});

describe('while orders queue', () => {
  test('open ones can be confirmed, cancelled and read, and those whose clients hang up never start', async () => {
    const api = await startOwnApi({ ADMISSION_LIMIT: '1' });
    try {
      const { shop } = api;
      const sku = await shop.product(100);
      const [first, second] = [await shop.reserved(sku), await shop.reserved(sku)];
      const customer = { id: `cus_${randomUUID()}` };
      const hangUp = new AbortController();
      const request = {
        lines: [{ sku, quantity: 1 }],
        customer,
        confirm: true,
        payment: { cardToken: 'tok_slow_600' },
      };
      const asking = Array.from({ length: 30 }, () =>
        fetch(`${api.url}/api/orders`, {
          method: 'POST',
          headers: { authorization: `Bearer ${inject('apiKey')}`, 'content-type': 'application/json' },
          body: JSON.stringify(request),
          signal: hangUp.signal,
        }).catch(() => null),
      );
      await eventually('a queue', async () => (await figure(api, 'queued')) > 20);
      await shop.must(200, shop.confirm(first, 'tok_visa'));
      await shop.must(200, shop.cancel(second));
      await shop.must(200, shop.get(`/api/orders/${first}`));
      const queued = await figure(api, 'queued');
      expect(queued).toBeGreaterThan(0);
      hangUp.abort();
      await Promise.all(asking);
      await eventually('the queue to empty', async () => (await figure(api, 'queued')) === 0);
      await eventually('what was begun to be decided', async () => (await figure(api, 'in_flight')) === 0);
      expect(await begunBy(shop, customer.id)).toBeLessThanOrEqual(30 - queued + 1);
    } finally {
      await api.end('SIGTERM');
    }
  });

  test('a process that stops answers the waiting clients and starts none of their orders', async () => {
    const api = await startOwnApi({ ADMISSION_LIMIT: '1' });
    const { shop } = api;
    const sku = await shop.product(100);
    const customer = { id: `cus_${randomUUID()}` };
    const request = { lines: [{ sku, quantity: 1 }], customer, confirm: true, payment: { cardToken: 'tok_slow_600' } };
    const asking = Promise.all(Array.from({ length: 10 }, () => shop.post('/api/orders', request)));
    await eventually('a queue', async () => (await figure(api, 'queued')) > 5);
    expect(await api.end('SIGTERM')).toBe(0);
    const answers = await asking;
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const { body } of refused) expect(body.code).toBe('unavailable');
    const begun = await begunBy(sharedShop(), customer.id);
    expect(begun).toBe(answers.length - refused.length);
  });
});

describe('more orders than the machine can decide', () => {
  test('are partly refused without a trace, and done once when sent again; a known call is answered', async () => {
    const api = await startOwnApi({ ADMISSION_LIMIT: '1' });
    try {
      const { shop } = api;
      const sku = await shop.product(10_000);
      const customer = { id: `cus_${randomUUID()}` };
      const refusals: Answer[] = [];
      const tracesLeft: number[] = [];
      let done = 0;
      const known = { lines: [{ sku: await shop.product(1), quantity: 1 }] };
      const knownKey = { 'idempotency-key': randomUUID() };
      await shop.must(201, shop.order(known, knownKey));
      const repetitions: Answer[] = [];
      let over = false;
      const repeater = async () => {
        while (!over) repetitions.push(await shop.order(known, knownKey));
      };
      const client = async () => {
        // Sends until there is overload, and then resends what was refused until it is done.
        for (let enough = false; !enough; enough = refusals.length > 0) {
          const key = randomUUID();
          for (;;) {
            const answer = await shop.order({ lines: [{ sku, quantity: 1 }], customer }, { 'idempotency-key': key });
            if (answer.status !== 503) {
              expect([201, 202]).toContain(answer.status);
              done++;
              break;
            }
            refusals.push(answer);
            const [row] = await connection.sql<{ rows: number }[]>`
              select count(*)::int as rows from idempotency_keys where key = ${key}`;
            tracesLeft.push(row?.rows ?? 0);
            // Sooner than the answer says: an early call may be refused again, without a trace.
            await sleep(Number(answer.headers.get('retry-after')) * 200);
          }
        }
      };
      const repeating = repeater();
      await Promise.all(Array.from({ length: 60 }, client));
      over = true;
      await repeating;
      expect(repetitions.map(({ status }) => status)).toEqual(repetitions.map(() => 201));
      expect(repetitions.every(({ headers }) => headers.get('idempotency-replayed') === 'true')).toBe(true);
      for (const { body, headers } of refusals) {
        expect(body.code).toBe('unavailable');
        expect(headers.get('retry-after')).toMatch(/^([1-9]|1\d|20)$/);
      }
      expect(new Set(tracesLeft)).toEqual(new Set([0]));
      await eventually('all to be reserved', async () => (await shop.stock(sku)).reserved >= done);
      expect((await shop.stock(sku)).reserved).toBe(done);
    } finally {
      await api.end('SIGTERM');
    }
  });
});
