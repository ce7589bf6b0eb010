import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Relay, startRelay } from '../../../workers/outbox/relay.js';
import { startLoop } from '../../../workers/outbox/relay-loop.js';
import { type QuietBooks, quietBooks } from '../../database/outbox/books.js';
import { eventually } from '../../shop.js';

let books: QuietBooks;
let relay: Relay;
let temporal: NativeConnection;
beforeAll(async () => {
  books = await quietBooks();
  temporal = await NativeConnection.connect({ address: inject('temporalAddress') });
  relay = await startRelay({
    connection: books.another(),
    client: new Client({ connection: temporal }),
    times: { deliveryCheckSeconds: 0.3, deliveryMaxDays: 60 },
    retry: { retryBaseScale: 0.01, gatewayTimeoutSeconds: 1 },
    claimSeconds: 10,
    workflowTaskTimeoutSeconds: 5,
    log: pino({ level: 'silent' }),
    reached: () => undefined,
  });
});
afterAll(async () => {
  await relay?.stop();
  await temporal?.close();
  await books?.close();
});

const delivered = (sku: string) =>
  books.connection.sql`select 1 from outbox where sku = ${sku} and delivered_at is not null`.then(
    ({ length }) => length > 0,
  );

describe('a relay', () => {
  it('is woken by each commit, so rows are not delivered at the pace of its polling', async () => {
    // Polled every five seconds, these would take longer than the test waits.
    const skus = await Promise.all(Array.from({ length: 20 }, () => books.product(3, 0)));
    let heard = 0;
    await Promise.all([
      eventually('all to be delivered', async () => heard === skus.length),
      (async () => {
        for (const sku of skus) {
          await books.connection.sql`update products set reorder_point = 3 where sku = ${sku}`;
          await eventually(`${sku} to be delivered`, () => delivered(sku));
          heard++;
        }
      })(),
    ]);
  });

  it('finds rows without a notification by polling', async () => {
    const sku = await books.product(3, 0);
    await books.connection.sql`
      insert into outbox (topic, sku, dedup_key, payload)
      values ('replenish', ${sku}, ${randomUUID()}, ${JSON.stringify({ sku, location: 'main' })}::text::jsonb)`;
    await eventually('the row to be found', () => delivered(sku));
  });
});

describe('the loop of a relay', () => {
  const never = 2 ** 30;

  it('polls at once and once per wake-up, and no more', async () => {
    let looks = 0;
    const look = async () => {
      looks++;
      return null;
    };
    const loop = startLoop({ look, pollMs: never, minGapMs: 0, onError: fail });
    await eventually('the first poll', async () => looks === 1);
    for (const wanted of [2, 3, 4]) {
      loop.wake();
      await eventually(`look ${wanted}`, async () => looks === wanted);
    }
    await loop.stop();
    loop.wake();
    expect(looks).toBe(4);
  });

  it('polls again for a wake-up that came while it was polling', async () => {
    let looks = 0;
    let goOn: () => void = () => undefined;
    const look = () => {
      looks++;
      return new Promise<null>((done) => {
        goOn = () => done(null);
      });
    };
    const loop = startLoop({ look, pollMs: never, minGapMs: 0, onError: fail });
    await eventually('the first poll', async () => looks === 1);
    loop.wake();
    goOn();
    await eventually('the second poll', async () => looks === 2);
    goOn();
    await loop.stop();
  });

  it('gathers wake-ups that come soon after a poll, and can be stopped at once meanwhile', async () => {
    const looks: number[] = [];
    let waiting = 1;
    const look = async () => {
      looks.push(waiting);
      waiting = 0;
      return null;
    };
    const loop = startLoop({ look, pollMs: never, minGapMs: 300, onError: fail });
    await eventually('the first poll', async () => looks.length === 1);
    for (let come = 0; come < 5; come++) {
      waiting++;
      loop.wake();
    }
    await eventually('the second poll', async () => looks.length === 2);
    expect(looks).toEqual([1, 5]);
    await loop.stop();

    const lonely = startLoop({ look, pollMs: never, minGapMs: never, onError: fail });
    await eventually('its look', async () => looks.length === 3);
    lonely.wake();
    await lonely.stop();
    expect(looks.length).toBe(3);
  });

  it('continues after a failed poll, and if there are more rows', async () => {
    const errors: unknown[] = [];
    const answers = [() => Promise.reject(new Error('away')), async () => 0, async () => 0, async () => null];
    let looks = 0;
    const loop = startLoop({
      look: async () => (answers[looks++] ?? (async () => null))(),
      pollMs: 1,
      minGapMs: 0,
      onError: (error) => errors.push(error),
    });
    await eventually('all looks', async () => looks >= 4);
    await loop.stop();
    expect(errors).toEqual([new Error('away')]);
  });
});

function fail(error: unknown): never {
  throw error;
}
