import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { claimBatches, claimSkus, failDelivery, markDelivered, postponeDelivery } from '../../../db/outbox/outbox.js';
import type { Sql } from '../../../db/postgres/client.js';
import { type QuietBooks, quietBooks } from './books.js';

let books: QuietBooks;
let sql: Sql;
beforeAll(async () => {
  books = await quietBooks();
  ({ sql } = books.connection);
});
beforeEach(async () => {
  await books.take();
});
afterAll(() => books?.close());

const claim = (who = sql, leaseSeconds = 60) => claimSkus(who, { limit: 10, leaseSeconds });

async function waiting(sku: string, location: string): Promise<number> {
  const payload = JSON.stringify({ sku, location });
  const [row] = await sql<{ id: number }[]>`
    insert into outbox (topic, sku, dedup_key, payload)
    values ('replenish', ${sku}, ${randomUUID()}, ${payload}::text::jsonb) returning id::float8 as id`;
  return row?.id ?? 0;
}

describe('rows of one SKU', () => {
  it('are handed out one at a time, the oldest first', async () => {
    const ids = [await waiting('A', 'x'), await waiting('A', 'y'), await waiting('A', 'z')];
    const other = await waiting('B', 'x');
    expect((await claim()).map(({ id }) => id).sort((a, b) => a - b)).toEqual([ids[0], other]);
    expect(await claim()).toEqual([]);
    for (const next of [1, 2]) {
      await markDelivered(sql, [ids[next - 1] ?? 0]);
      expect(await claim()).toEqual([{ id: ids[next], sku: 'A', location: ['x', 'y', 'z'][next] }]);
    }
  });

  it('are claimed fairly: of all SKUs, those that have waited longest come first', async () => {
    const skus = Array.from({ length: 6 }, (_, index) => `S${(index * 5) % 6}`);
    for (const sku of skus) await waiting(sku, 'x');
    const taken = [];
    for (let relay = 0; relay < 3; relay++)
      taken.push((await claimSkus(sql, { limit: 2, leaseSeconds: 60 })).map(({ sku }) => sku).sort());
    expect(taken).toEqual([skus.slice(0, 2), skus.slice(2, 4), skus.slice(4)].map((pair) => pair.sort()));
  });

  it('go to exactly one of many relays that ask at once, in order', async () => {
    const relays = Array.from({ length: 8 }, () => books.another().sql);
    const skus = ['A', 'B', 'C', 'D'];
    for (let round = 0; round < 10; round++) for (const sku of skus) await waiting(sku, `place-${round}`);
    const delivered: string[] = [];
    const atWork = new Set<string>();
    const run = async (relay: Sql) => {
      while (delivered.length < 40)
        for (const { id, sku, location } of await claim(relay)) {
          expect(atWork.has(`${sku}`)).toBe(false);
          atWork.add(`${sku}`);
          await sleep(Math.random() * 3);
          delivered.push(`${sku}/${location}`);
          atWork.delete(`${sku}`);
          await markDelivered(relay, [id]);
        }
    };
    await Promise.all(relays.map(run));
    for (const sku of skus)
      expect(delivered.filter((each) => each.startsWith(`${sku}/`))).toEqual(
        Array.from({ length: 10 }, (_, round) => `${sku}/place-${round}`),
      );
  });

  it("are handed out again when their relay's claim expires", async () => {
    const id = await waiting('A', 'x');
    expect(await claim(sql, 2)).toHaveLength(1);
    expect(await claim()).toEqual([]);
    await sleep(2100);
    expect(await claim()).toMatchObject([{ id }]);
  });

  it('wait while no relay claims them, and count no attempt', async () => {
    const id = await waiting('A', 'x');
    for (let outage = 0; outage < 20; outage++) await postponeDelivery(sql, [id], 'no server', 0);
    expect(await claim()).toMatchObject([{ id }]);
    expect(await sql`select attempts from outbox where id = ${id}`).toMatchObject([{ attempts: 0 }]);
  });

  it('go to review after their last attempt, and let the rows behind them pass', async () => {
    const [bad, good] = [await waiting('A', 'x'), await waiting('A', 'y')];
    const reviewId = `rev_${randomUUID()}`;
    const fail = () =>
      failDelivery(sql, { rowIds: [bad], lastError: 'never', maxAttempts: 3, firstWaitSeconds: 0, reviewId });
    expect(await fail()).not.toBeNull();
    expect(await fail()).not.toBeNull();
    expect(await claim()).toMatchObject([{ id: bad }]);
    expect(await fail()).toBeNull();
    expect(await claim()).toMatchObject([{ id: good }]);
    const [review] =
      await sql`select kind, subject, status, attempts, last_error, detail from manual_reviews where id = ${reviewId}`;
    expect(review).toEqual({
      kind: 'outbox_undeliverable',
      subject: `outbox/${bad}`,
      status: 'open',
      attempts: 3,
      last_error: 'never',
      detail: { topic: 'replenish', outboxIds: [bad], payloads: [{ sku: 'A', location: 'x' }] },
    });
  });
});

describe('a claim', () => {
  it('never exceeds its limit, even if Postgres plans to search the rows again for each row', async () => {
    const [{ database } = {}] = await sql`select current_database() as database`;
    for (const plan of ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'material', 'indexscan', 'bitmapscan'])
      await sql.unsafe(`alter database ${database} set enable_${plan} = off`);
    onTestFinished(async () => void (await sql.unsafe(`alter database ${database} reset all`)));
    const planned = books.another().sql;
    for (let row = 0; row < 5; row++) await waiting(`S${row}`, 'x');
    await sql`insert into outbox (topic, dedup_key, payload) select 'mail', n, '{}' from generate_series(1, 5) n`;
    expect(await claimSkus(planned, { limit: 2, leaseSeconds: 60 })).toHaveLength(2);
    expect(
      (await claimBatches(planned, 'mail', 'mails', { limit: 2, leaseSeconds: 10 })).map(({ rowIds }) => rowIds.length),
    ).toEqual([2]);
  });
});

describe('a batch of notices', () => {
  it("is claimed again as a whole when its relay's claim expires, however many rows wait", async () => {
    await sql`insert into outbox (topic, dedup_key, payload, created_at)
              select 'notice', 'n' || n, '{}', clock_timestamp() - interval '1 min' from generate_series(1, 25) n`;
    const sizes = async (id: string) =>
      Object.fromEntries(
        (await claimBatches(sql, 'notice', id, { limit: 10, leaseSeconds: 10 })).map((batch) => [
          batch.batchId,
          batch.rowIds.length,
        ]),
      );
    expect(await sizes('first')).toEqual({ first: 10 });
    expect(await sizes('second')).toEqual({ first: 10, second: 10 });
    expect(await sizes('third')).toEqual({ first: 10, second: 10, third: 5 });
    expect(await claimBatches(sql, 'mail', 'mails', { limit: 10, leaseSeconds: 10 })).toEqual([]);
    const [first] = await claimBatches(sql, 'notice', 'none', { limit: 10, leaseSeconds: 10 });
    await markDelivered(sql, first?.rowIds ?? []);
    expect(await sizes('fourth')).toEqual({ second: 10, third: 5 });
  });

  it('belongs to one relay while that relay may be working on it', async () => {
    await sql`insert into outbox (topic, dedup_key, payload) select topic, topic || n, '{}' from generate_series(1, 5) n, unnest(array['mail', 'notice']) topic`;
    const claim = async (id: string) =>
      (await claimBatches(sql, 'notice', id, { limit: 10, leaseSeconds: 10 })).map(({ batchId }) => batchId);
    const [mine] = await claimBatches(sql, 'notice', 'mine', { limit: 10, leaseSeconds: 10 });
    expect(mine?.rowIds).toHaveLength(5);
    expect(await claim('yours')).toEqual([]);
    const [lost] = await sql`
      update outbox set created_at = created_at - interval '10 s' where batch_id = 'mine' returning id`;
    expect(lost).toBeDefined();
    expect(await claim('yours')).toEqual(['mine']);
    expect(await claimBatches(sql, 'mail', 'mails', { limit: 10, leaseSeconds: 10 })).toMatchObject([
      { batchId: 'mails', topic: 'mail' },
    ]);
  });
});
