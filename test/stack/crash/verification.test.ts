/** A verification whose worker and API are killed while it runs: another worker resumes it where it stood. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';

/** More than one chunk reads (activities/verification.ts), so that the walk stops between two products. */
const rowsPerProduct = 15_000;
/** Progress is recorded once a second; a lost worker is noticed after 30 s without a heartbeat. */
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

/** Products that come first in the walk, with long histories that are right. */
async function fill(skus: readonly string[]): Promise<void> {
  await sql`insert into products (sku, name, price_amount, price_currency, created_by)
            select sku, 'Long', 1, 'USD', 'test' from unnest(${[...skus]}::text[]) sku`;
  await sql`
    insert into stock_ledger (sku, location, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                              operation_key, actor, at)
    select sku, 'main', 'received', 1, 0, n, 0, sku || n, 'test', now() - interval '1 d' + n * interval '1 ms'
      from unnest(${[...skus]}::text[]) sku, generate_series(1, ${rowsPerProduct}) n`;
  await sql`
    insert into stock_levels (sku, location, on_hand, changed_at)
    select sku, location, max(on_hand_after), max(at) from stock_ledger
     where sku = any (${[...skus]}) group by sku, location`;
}

/** Holds up every chunk until it is let go. */
async function holdUp() {
  const session = await sql.reserve();
  await session`begin`;
  await session`lock table reservations in access exclusive mode`;
  return async () => {
    await session`commit`;
    session.release();
  };
}

const waiting = (what: string) =>
  eventually(`${what} to wait for a lock`, async () => {
    const rows = await sql`select from pg_stat_activity where wait_event_type = 'Lock' and query ilike ${`%${what}%`}`;
    return rows.length > 0;
  });

test('kill -9 of the worker and of the API: it is resumed, and ends with what it found, once', async () => {
  const skus = ['0-LONG-A', '0-LONG-B', '0-LONG-C'] as const;
  await fill(skus);
  await sql`update stock_levels set on_hand = on_hand + 1 where sku = ${skus[0]}`;
  const shop = new Shop(stack);

  const letGo = await holdUp();
  const { body } = await shop.must(202, shop.post('/api/ledger/verifications', {}, { prefer: 'respond-async' }));
  await waiting('ledger_rows as materialized');
  const reached = async () =>
    (await sql<{ checked: number }[]>`select checked::int from ledger_verifications where id = ${body.id}`)[0]?.checked;
  await new Promise((resolve) => setTimeout(resolve, recordMs));
  // The next lock waits behind the first chunk, and the second chunk behind the lock.
  const next = holdUp();
  await waiting('lock table reservations');
  await letGo();
  const letRestGo = await next;
  await eventually('the first chunk to be recorded', async () => (await reached()) === 1);
  await waiting('ledger_rows as materialized');

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
