/** Brings a database up to date: the migrations that it lacks, the functions, and the rights of the running role. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { applyFunctions, type FunctionFile, haveBeenApplied, readFunctionFiles } from './functions.js';
import { applyInside, applyOutside, type Migration, missingMigrations, readMigrations } from './migrations.js';
import { OlderRelease, recordRelease, release, type Standing, standingIn } from './release.js';
import { grantRunning, type RunningRole } from './roles.js';

/** Any number will do, as long as every process takes the same one. */
const migrationLock = 4_841_302;
const lockPollMs = 100;

/** What a release brings to a database. */
export interface Upgrade {
  readonly release: string;
  readonly migrations: readonly Migration[];
  readonly functions: readonly FunctionFile[];
}

const ownUpgrade = (): Upgrade => ({ release, migrations: readMigrations(), functions: readFunctionFiles() });

/**
 * Applies the migrations that are missing and the functions that differ; any number of processes may do so at once. All of
 * it is one transaction, so that functions never meet tables of another release; only indexes that are built while others
 * write come after it. Changes nothing where the database belongs to the next release, which serves this one: the answer
 * says so.
 *
 * Rejects with OlderRelease where it belongs to one that does not, with Postgres's error when the database cannot be
 * reached or a migration fails, and with one that names the file when functions are refused.
 * @param databaseUrl of the role that owns the database
 * @param running the role of API and workers, which is granted its rights; null if they run as the owner
 */
export async function migrate(
  databaseUrl: string,
  running: RunningRole | null = null,
  upgrade: Upgrade = ownUpgrade(),
): Promise<Standing> {
  // One connection, never exchanged for another: the lock belongs to its session.
  const sql = postgres(databaseUrl, {
    max: 1,
    max_lifetime: null,
    connect_timeout: 5,
    onnotice: () => undefined,
    connection: { application_name: 'holdfast migrate', TimeZone: 'UTC' },
  });
  try {
    await takeLock(sql);
    const standing = await standingIn(sql, upgrade.release);
    if (standing.kind === 'served') return standing;
    if (standing.kind === 'unserved') throw new OlderRelease(upgrade.release, standing);
    await sql.begin(async (tx) => {
      await applyInside(tx, upgrade.migrations);
      await applyFunctions(tx, upgrade.functions);
      await recordRelease(tx, upgrade.release);
      if (running) await grantRunning(tx, running);
    });
    await applyOutside(sql, upgrade.migrations);
    return standing;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Asks again and again: a statement that waits would be waited for in turn by an index that is built beside it. */
async function takeLock(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const [lock] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${migrationLock}) as taken`;
    if (lock?.taken) return;
    await sleep(lockPollMs);
  }
}

/**
 * Takes note of the migrations and functions that this process was started with, and returns a function that tells
 * whether a database holds them. The next release holds them still, and no later one: see `Standing`. That function
 * rejects with Postgres's error when the database cannot be asked.
 */
export function schemaCheck(upgrade: Upgrade = ownUpgrade()): (sql: postgres.Sql) => Promise<boolean> {
  return async (sql) => {
    const [books] = await sql<{ exist: boolean }[]>`select to_regclass('sql_functions') is not null as exist`;
    if (!books?.exist || (await missingMigrations(sql, upgrade.migrations)).length > 0) return false;
    if ((await standingIn(sql, upgrade.release)).kind === 'unserved') return false;
    return haveBeenApplied(sql, upgrade.functions);
  };
}
