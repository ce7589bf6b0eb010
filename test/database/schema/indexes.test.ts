/** Migrations outside a transaction: indexes that are built while others write. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFunctionFiles } from '../../../db/upgrade/functions.js';
import { migrate, schemaCheck } from '../../../db/upgrade/migrate.js';
import { readMigrations } from '../../../db/upgrade/migrations.js';
import { release, type Upgrade } from '../../../db/upgrade/release.js';
import { type Scratch, scratchDatabase } from '../scratch.js';

const next: Upgrade = {
  release,
  functions: readFunctionFiles(),
  migrations: [
    ...readMigrations(),
    {
      statements: [
        '-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_of_test" ON "orders" ("total_amount");',
        'DROP INDEX CONCURRENTLY IF EXISTS "no_such_index";',
      ],
      hash: 'test',
      when: 9_999_999_999_999,
    },
  ],
};

let scratch: Scratch;
beforeAll(async () => {
  scratch = await scratchDatabase();
  await migrate(scratch.url);
});
afterAll(() => scratch?.drop());

const indexState = async () =>
  scratch.sql`select indisvalid as valid from pg_index where indexrelid = to_regclass('orders_of_test')`;

test('a build that is killed half-way is done again, and several processes may do it at once', async () => {
  const { sql, url } = scratch;
  const isUpToDate = schemaCheck(next);
  const writer = await sql.reserve();
  await writer`begin`;
  await writer`insert into orders (id, status, workflow_id, created_at, updated_at)
               values ('ord_1', 'reserved', 'order/ord_1', now(), now())`;
  // It waits for the writer, and the writer does not wait for it.
  const building = migrate(url, null, { upgrade: next }).then(
    () => 'built',
    () => 'killed',
  );
  await expect.poll(indexState).toEqual([{ valid: false }]);
  await writer`insert into orders (id, status, workflow_id, created_at, updated_at)
               values ('ord_2', 'reserved', 'order/ord_2', now(), now())`;
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and query ilike '%create index concurrently%' and pid <> pg_backend_pid()`;
  expect(await building).toBe('killed');
  expect(await indexState()).toEqual([{ valid: false }]);
  expect(await isUpToDate(sql)).toBe(false);

  const again = [1, 2, 3].map(() => migrate(url, null, { upgrade: next }));
  // Those without a turn ask for it while the writer is still there.
  await sleep(500);
  await writer`commit`;
  writer.release();
  await Promise.all(again);
  expect(await indexState()).toEqual([{ valid: true }]);
  expect(await isUpToDate(sql)).toBe(true);
});
