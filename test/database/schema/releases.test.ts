/** Which release may change a database, and which stays ready, while another is rolled out. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type FunctionFile, readFunctionFiles } from '../../../db/upgrade/functions.js';
import { migrate, schemaCheck } from '../../../db/upgrade/migrate.js';
import { readMigrations } from '../../../db/upgrade/migrations.js';
import type { Upgrade } from '../../../db/upgrade/release.js';
import { type Scratch, scratchDatabase } from '../scratch.js';

const migrations = readMigrations();
const files = readFunctionFiles();

/** A release that differs from others in one function, which returns its version. */
function upgradeOf(release: string): Upgrade {
  const text = `create or replace function in_place() returns text language sql immutable return '${release}';`;
  const own: FunctionFile = { name: '91_in_place.sql', text, hash: release };
  return { release, migrations, functions: [...files, own] };
}
const [first, second, third] = ['9.9.0', '9.10.0', '9.11.0'].map(upgradeOf) as [Upgrade, Upgrade, Upgrade];

let scratch: Scratch | undefined;
const open = () => {
  if (scratch === undefined) throw new Error('there is no database');
  return scratch;
};
beforeEach(async () => {
  await scratch?.drop();
  scratch = await scratchDatabase();
});
afterAll(() => scratch?.drop());

const bring = (upgrade: Upgrade) => migrate(open().url, null, { upgrade });
const isReady = (upgrade: Upgrade) => schemaCheck(upgrade)(open().sql);
const inPlace = async () => (await open().sql<{ release: string }[]>`select in_place() as release`)[0]?.release;

test('the release before leaves newer functions alone, and both are ready', async () => {
  await bring(first);
  await bring(second);
  expect(await bring(first)).toEqual({ kind: 'served', newest: '9.10.0', before: '9.9.0' });
  expect(await inPlace()).toBe('9.10.0');
  expect([await isReady(first), await isReady(second)]).toEqual([true, true]);
});

test('a release before that changes nothing and is not ready: it says which release to start', async () => {
  for (const upgrade of [first, second, third]) await bring(upgrade);
  await expect(bring(first)).rejects.toThrow(
    'the database has the SQL functions of release 9.11.0, which serve 9.10.0 and later; this is 9.9.0. Start release 9.11.0',
  );
  expect(await inPlace()).toBe('9.11.0');
  expect([await isReady(first), await isReady(second), await isReady(third)]).toEqual([false, true, true]);
});

test('an older release that was never here changes nothing, and is not ready', async () => {
  await bring(second);
  await expect(bring(first)).rejects.toThrow('which serve no release before it; this is 9.9.0');
  expect(await inPlace()).toBe('9.10.0');
  expect(await isReady(first)).toBe(false);
});

test('processes of two releases that start at once, in any order, end with the newer functions', async () => {
  await bring(first);
  await Promise.all([first, second, first, second, first].map(bring));
  expect(await inPlace()).toBe('9.10.0');
  expect(await isReady(second)).toBe(true);
});

test('within a release, functions that differ replace each other both ways', async () => {
  const rebuilt: Upgrade = { ...upgradeOf('9.9.1'), release: first.release };
  await bring(first);
  await bring(rebuilt);
  expect(await inPlace()).toBe('9.9.1');
  await bring(first);
  expect(await inPlace()).toBe('9.9.0');
});

describe('a build of the same version that does not know the newest migration', () => {
  const last = migrations.at(-1);
  const later = { statements: ['create table later ()'], hash: 'later', when: (last?.when ?? 0) + 1 };
  const newest: Upgrade = { ...upgradeOf('9.9.1'), release: first.release, migrations: [...migrations, later] };

  test('changes nothing and stays ready, if its functions were there before', async () => {
    const older = first;
    expect(await bring(older)).toEqual({ kind: 'present' });
    await bring(newest);
    expect(await bring(older)).toEqual({ kind: 'served', newest: null, before: null });
    expect(await inPlace()).toBe('9.9.1');
    expect([await isReady(older), await isReady(newest)]).toEqual([true, true]);
  });

  test('is refused otherwise', async () => {
    await bring(newest);
    const older = first;
    await expect(bring(older)).rejects.toThrow('newer than this build of 9.9.0. Start a newer build');
    const raised = second;
    await expect(bring(raised)).rejects.toThrow('newer than this build of 9.10.0');
    expect(await inPlace()).toBe('9.9.1');
    expect([await isReady(older), await isReady(raised), await isReady(newest)]).toEqual([false, false, true]);
  });
});

test('an operator goes back on purpose: without its row, the newer release counts no more', async () => {
  await bring(first);
  await bring(second);
  await open().sql`delete from sql_releases where release = '9.10.0'`;
  expect(await bring(first)).toEqual({ kind: 'present' });
  expect(await inPlace()).toBe('9.9.0');
});
