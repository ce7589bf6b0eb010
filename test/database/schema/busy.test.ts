/** An upgrade of a database that others read and write meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { createLedger } from '../../../db/stock/ledger.js';
import { readFunctionFiles } from '../../../db/upgrade/functions.js';
import { migrate } from '../../../db/upgrade/migrate.js';
import { readMigrations } from '../../../db/upgrade/migrations.js';
import { release, type Upgrade } from '../../../db/upgrade/release.js';
import { type Scratch, scratchDatabase } from '../scratch.js';

/** How long the reader holds the table, as pg_dump does for hours. */
const readMs = 7000;
/** The upgrade's wait for the table, and what a call may take on a busy machine. */
const longestCallMs = 2000 + 2000;
const migrationLock = 4_841_302;

function upgradeBy(...statements: readonly string[]): Upgrade {
  const migration = { statements, hash: 'test', when: 9_999_999_999_999 };
  return { release, functions: readFunctionFiles(), migrations: [...readMigrations(), migration] };
}

let scratch: Scratch;
let connection: Connection;
beforeAll(async () => {
  scratch = await scratchDatabase();
  await migrate(scratch.url);
  connection = connect(scratch.url, { applicationName: 'busy', maxConnections: 2 });
  await connection.sql`insert into products (sku, name, price_amount, price_currency, created_by)
                       values ('BUSY', 'Busy', 100, 'USD', 'test')`;
});
afterAll(async () => {
  await connection?.close();
  await scratch?.drop();
});

const columnExists = async () =>
  (await scratch.sql`select from pg_attribute where attrelid = 'stock_levels'::regclass and attname = 'of_test'`)
    .length === 1;

test('a long reader holds up the upgrade, which says so, and never the writers behind it for long', async () => {
  const ledger = createLedger(connection.sql);
  const receive = (key: string) =>
    ledger.apply([{ key, actor: 'test', commands: [{ kind: 'receive', sku: 'BUSY', location: 'main', quantity: 1 }] }]);
  await receive('first');
  const reader = await scratch.sql.reserve();
  await reader`begin`;
  await reader`select from stock_levels limit 1`;

  const lines: string[] = [];
  let upgraded = false;
  const upgrading = migrate(scratch.url, null, {
    upgrade: upgradeBy('alter table stock_levels add column of_test int'),
    report: (line) => lines.push(line),
  }).finally(() => {
    upgraded = true;
  });
  const calls: number[] = [];
  const began = performance.now();
  for (let turn = 0; performance.now() - began < readMs; turn++) {
    const asked = performance.now();
    // The reader commits in time, or a writer that waits for it would never return.
    const committing = sleep(readMs).then(() => 'late' as const);
    if ((await Promise.race([receive(`turn ${turn}`), committing])) === 'late') break;
    calls.push(performance.now() - asked);
    await sleep(20);
  }
  expect(upgraded).toBe(false);
  await reader`commit`;
  reader.release();
  await upgrading;

  expect(await columnExists()).toBe(true);
  expect(Math.max(...calls)).toBeLessThan(longestCallMs);
  expect(calls.length).toBeGreaterThan(10);
  expect(lines[0]).toMatch(/waits for a table that a long transaction uses: attempt 1, after \d s; it tries again/);
});

test('a process of an older build that waits for the lock inside Postgres stops no index from being built', async () => {
  const { sql, url } = scratch;
  const writer = await sql.reserve();
  const older = await sql.reserve();
  await writer`begin`;
  await writer`insert into suppliers (id, name, active, min_order_quantity, max_order_quantity, created_by)
               values ('sup_1', 'Mill', true, 1, 1, 'test')`;
  const lines: string[] = [];
  const next = upgradeBy(
    '-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS "suppliers_of_test" ON "suppliers" ("name");',
  );
  // The test's earlier migration has the same time.
  await sql`delete from drizzle.__drizzle_migrations where hash = 'test'`;
  const building = migrate(url, null, { upgrade: next, report: (line) => lines.push(line) });
  const validity = () =>
    sql`select indisvalid as valid from pg_index where indexrelid = to_regclass('suppliers_of_test')`;
  await expect.poll(validity).toEqual([{ valid: false }]);
  const waiting = older`select pg_advisory_lock(${migrationLock})`.then(
    () => older`select pg_advisory_unlock(${migrationLock})`,
  );
  // Longer than deadlock_timeout, so that Postgres ends the build and not this wait.
  await sleep(2000);
  await writer`commit`;
  writer.release();
  await building;
  await waiting;
  older.release();
  expect(await validity()).toEqual([{ valid: true }]);
  expect(lines).toEqual([expect.stringContaining('met a deadlock')]);
});
