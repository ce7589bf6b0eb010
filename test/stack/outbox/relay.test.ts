import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { quickTakeover, type Stack, startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';
import { newSku } from '../inventory/supplied.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;
let shop: Shop;
let database: Connection;
let temporal: TemporalConnection;

beforeAll(async () => {
  stack = await startStack({
    ...quickTakeover,
    HOLDFAST_CRASH_POINTS: crashFolder,
    WORKERS: '2',
    RETRY_BASE_SCALE: '0.001',
    GATEWAY_TIMEOUT_SECONDS: '1',
    DELIVERY_CHECK_SECONDS: '0.3',
    EXPIRY_SWEEP_SECONDS: '3600',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
  shop = new Shop(stack);
  database = connect(stack.databaseUrl, { applicationName: 'relay test', maxConnections: 2 });
  temporal = await TemporalConnection.connect({ address: stack.temporalAddress });
});
afterAll(async () => {
  await temporal?.close();
  await database?.close();
  await stack?.stop();
});

const consume = (sku: string, quantity: number) =>
  shop.must(200, shop.post('/api/inventory/operations', { operation: 'consume', sku, quantity }));
const rowsOf = (sku: string) => database.sql<{ attempts: number; delivered: boolean; abandoned: boolean }[]>`
  select attempts, delivered_at is not null as delivered, abandoned_at is not null as abandoned
    from outbox where topic = 'replenish' and sku = ${sku} order by id`;
const begun = (sku: string) =>
  new Client({ connection: temporal }).workflow
    .getHandle(`replenishment/${sku}/main`)
    .describe()
    .then(
      () => true,
      () => false,
    );

describe('a level that is low', () => {
  it('becomes a replenishment', async () => {
    const sku = await newSku(shop, { stock: 10, reorderPoint: 5 });
    await consume(sku, 6);
    await eventually('the replenishment to be started', () => begun(sku));
    await eventually('the row to be delivered', async () => (await rowsOf(sku)).every(({ delivered }) => delivered));
  });

  it.each(['relay.claimed', 'relay.started'])('is not lost by a relay that is killed at %s', async (place) => {
    const sku = await newSku(shop, { stock: 10, reorderPoint: 5 });
    writeFileSync(join(crashFolder, place), `${sku}/main`);
    await consume(sku, 6);
    const taken = () => readdirSync(crashFolder).some((file) => file.startsWith(`${place}.taken.`));
    await eventually(`a relay to be killed at ${place}`, async () => taken());
    expect(await rowsOf(sku)).toMatchObject([{ delivered: false }]);
    await eventually('the row to be delivered', async () => (await rowsOf(sku))[0]?.delivered);
    expect(await begun(sku)).toBe(true);
    expect((await rowsOf(sku))[0]).toEqual({ attempts: 0, delivered: true, abandoned: false });
  });

  it('waits while Temporal is down, and counts no failure', async () => {
    const sku = await newSku(shop, { stock: 10, reorderPoint: 5 });
    const pid = stack.pids.temporal;
    if (pid === null) throw new Error('the stack has no Temporal server of its own');
    // Stopped, not killed: it accepts connections and never answers.
    process.kill(pid, 'SIGSTOP');
    try {
      await consume(sku, 6);
      await eventually('a start to time out', async () => {
        const [row] = await database.sql<{ lastError: string | null }[]>`
          select last_error as "lastError" from outbox where topic = 'replenish' and sku = ${sku}`;
        return row?.lastError?.startsWith('no answer from Temporal');
      });
      expect(await rowsOf(sku)).toEqual([{ attempts: 0, delivered: false, abandoned: false }]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually('the row to be delivered', async () => (await rowsOf(sku))[0]?.delivered);
    expect(await begun(sku)).toBe(true);
  });
});

describe('a notice', () => {
  it.each(['relay.claimed', 'relay.started'])('is sent once by a relay that is killed at %s', async (place) => {
    const sku = await shop.product(100);
    writeFileSync(join(crashFolder, place), 'batch/');
    await consume(sku, 50);
    await eventually(`a relay to be killed at ${place}`, async () => !readdirSync(crashFolder).includes(place));
    const row = async () => {
      const [found] = await database.sql<{ sent: boolean; delivered: boolean }[]>`
        select sent_at is not null as sent, delivered_at is not null as delivered
          from outbox where topic = 'notice' and payload::text like ${`%${sku}%`}`;
      return found;
    };
    expect(await row()).toMatchObject({ delivered: false });
    await eventually('the notice to be sent and settled', async () => {
      const found = await row();
      return found?.sent && found.delivered;
    });
    const mails = (await shop.mailTo('warehouse@holdfast.example')).filter(({ subject }) => subject.includes(sku));
    expect(mails).toHaveLength(1);
  });
});

describe('a row that can never be delivered', () => {
  it('goes to review after its last attempt, and holds up no other', async () => {
    const broken = `T-${randomUUID().slice(0, 13)}`;
    await database.sql`insert into outbox (topic, sku, dedup_key, payload) values ('replenish', ${broken}, ${broken}, '{}')`;
    const sku = await newSku(shop, { stock: 10, reorderPoint: 5 });
    await consume(sku, 6);
    await eventually('the other to be delivered', async () => (await rowsOf(sku))[0]?.delivered);
    const review = await eventually('the review', async () => {
      const { body } = await shop.must(200, shop.get('/api/reviews?status=open'));
      return body.items.find(({ kind }: { kind: string }) => kind === 'outbox_undeliverable');
    });
    expect(review).toMatchObject({ attempts: 10, detail: { topic: 'replenish', payloads: [{}] } });
    expect(await rowsOf(broken)).toEqual([{ attempts: 10, delivered: false, abandoned: true }]);
  });
});

describe('a notice that cannot be sent', () => {
  it('does not hold up the operation, and goes to review', async () => {
    const sku = await shop.product(100);
    // The sandbox's mail server accepts no mail while its process is stopped.
    const pid = stack.pids.sandbox;
    if (pid === null) throw new Error('the stack has no sandbox of its own');
    process.kill(pid, 'SIGSTOP');
    try {
      await consume(sku, 50);
      const review = await eventually('the review', async () => {
        const { body } = await shop.must(200, shop.get('/api/reviews?status=open'));
        return body.items.find(({ kind }: { kind: string }) => kind === 'mail_undeliverable');
      });
      expect(review).toMatchObject({ attempts: 3 });
      expect((await shop.stock(sku)).onHand).toBe(50);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
