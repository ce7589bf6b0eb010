/** A verification whose worker and API are killed while it runs: another worker resumes it where it stood. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chunkWaits, lockHolds, longHistories, passOneChunk, rowsPerProduct } from '../../long-ledger.js';
import { type Stack, startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';

/** Progress is recorded once a second; a lost worker is noticed after 10 s without a heartbeat. */
const recordMs = 1100;
const lostWorkerMs = 90_000;

let stack: Stack;
let sql: postgres.Sql;
beforeAll(async () => {
  stack = await startStack({ WORKERS: '1' });
  sql = postgres(stack.databaseUrl, { max: 5, onnotice: () => undefined });
});
afterAll(async () => {
  await sql?.end({ timeout: 1 });
  await stack?.stop();
});

test('kill -9 of the worker and of the API: it is resumed, and ends with what it found, once', async () => {
  const skus = ['0-LONG-A', '0-LONG-B', '0-LONG-C'] as const;
  await longHistories(sql, skus);
  await sql`update stock_levels set on_hand = on_hand + 1 where sku = ${skus[0]}`;
  const shop = new Shop(stack);

  const letGo = await lockHolds(sql);
  const { body } = await shop.must(202, shop.post('/api/ledger/verifications', {}, { prefer: 'respond-async' }));
  await chunkWaits(sql);
  const reached = async () =>
    (await sql<{ checked: number }[]>`select checked::int from ledger_verifications where id = ${body.id}`)[0]?.checked;
  await new Promise((resolve) => setTimeout(resolve, recordMs));
  const letRestGo = await passOneChunk(sql, letGo);
  expect(await reached()).toBe(1);

  const killed = [await stack.kill('worker'), await stack.kill('api')] as const;
  expect(await reached()).toBe(1);
  // A walk from the start would no longer find it.
  await sql`update stock_levels set on_hand = on_hand - 1 where sku = ${skus[0]}`;
  await letRestGo();
  await Promise.all([stack.waitRestarted('worker', killed[0]), stack.waitRestarted('api', killed[1])]);

  const read = async () => (await shop.must(200, shop.get(`/api/ledger/verifications/${body.id}`))).body;
  await eventually('the verification to end', async () => (await read()).status === 'completed', lostWorkerMs);
  const [levels] = await sql<{ count: number }[]>`select count(*)::int as count from stock_levels`;
  const difference = {
    sku: skus[0],
    location: 'main',
    what: 'onHand',
    expected: rowsPerProduct,
    found: rowsPerProduct + 1,
  };
  expect(await read()).toMatchObject({
    clean: false,
    checked: levels?.count,
    total: levels?.count,
    differenceCount: 1,
    differences: [difference],
  });
});
