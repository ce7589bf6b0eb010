/** Brings a database up to date: the migrations that it lacks, the functions, and the rights of the running role. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { postgresErrorOf } from '../postgres/lasting-errors.js';
import { applyFunctions, haveBeenApplied, readFunctionFiles } from './functions.js';
import { applyInside, applyOutside, missingMigrations, readMigrations } from './migrations.js';
import { OlderRelease, recordRelease, release, type Standing, standingIn, type Upgrade } from './release.js';
import { grantRunning, type RunningRole } from './roles.js';

/** Any number will do, as long as every process takes the same one. */
const migrationLock = 4_841_302;
const lockPollMs = 100;
/** How long the upgrade waits for a table. Writers that ask for it after that wait as long. */
const tableLockMs = 2000;
/** Between attempts. Others catch up meanwhile. */
const pauseMs = { least: 2000, most: 10_000 };
/** How often a caller hears that another process is upgrading the database. */
const patienceMs = 60_000;
const [lockNotAvailable, deadlock] = ['55P03', '40P01'];

const ownUpgrade = (): Upgrade => ({ release, migrations: readMigrations(), functions: readFunctionFiles() });

/**
 * Applies the migrations that are missing and the functions that differ; any number of processes may do so at once. All of
 * it is one transaction, so that a call that begins after it finds functions and tables of one release. A call that was
 * already running goes on in the old body: see db/migrations/README.md. Indexes that are built while others write come after
 * the transaction. Changes nothing where the database belongs to a newer build that serves this one: the answer says so.
 *
 * Where a long transaction holds a table, it gives up the wait after two seconds, lets the writers behind it pass, and
 * tries again, until it succeeds; so does it after a deadlock.
 *
 * Rejects with OlderRelease where the database belongs to a build that does not serve this one, with Postgres's error when
 * it cannot be reached or a migration fails, and with one that names the file when functions are refused.
 * @param databaseUrl of the role that owns the database
 * @param running the role of API and workers, which is granted its rights; null if they run as the owner
 * @param options.report called with one line before each new attempt, and each minute while another process upgrades
 */
export async function migrate(
  databaseUrl: string,
  running: RunningRole | null = null,
  { upgrade = ownUpgrade(), report = console.warn }: MigrateOptions = {},
): Promise<Standing> {
  // One connection, never exchanged for another: the lock belongs to its session.
  const sql = postgres(databaseUrl, {
    max: 1,
    max_lifetime: null,
    connect_timeout: 5,
    onnotice: () => undefined,
    connection: { application_name: 'holdfast migrate', TimeZone: 'UTC' },
  });
  const began = performance.now();
  try {
    for (let attempt = 1; ; attempt++) {
      await takeLock(sql, report);
      try {
        return await bring(sql, running, upgrade);
      } catch (error) {
        const code = postgresErrorOf(error)?.code;
        if (code !== lockNotAvailable && code !== deadlock) throw error;
        // A process of an older build waits for this lock inside Postgres, which waits for it in turn: it goes first.
        if (code === deadlock) await sql`select pg_advisory_unlock_all()`;
        const seconds = Math.round((performance.now() - began) / 1000);
        const why = code === deadlock ? 'met a deadlock' : 'waits for a table that a long transaction uses';
        report(`the upgrade of the database ${why}: attempt ${attempt}, after ${seconds} s; it tries again`);
      }
      await sleep(Math.min(pauseMs.most, pauseMs.least * attempt) * (0.5 + Math.random() / 2));
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}

interface MigrateOptions {
  readonly upgrade?: Upgrade;
  readonly report?: (line: string) => void;
}

/** One attempt. */
async function bring(sql: postgres.Sql, running: RunningRole | null, upgrade: Upgrade): Promise<Standing> {
  const standing = await standingIn(sql, upgrade);
  if (standing.kind === 'served') return standing;
  if (standing.kind === 'unserved') throw new OlderRelease(upgrade.release, standing);
  await sql.begin(async (tx) => {
    await tx.unsafe(`set local lock_timeout = ${tableLockMs}`);
    await applyInside(tx, upgrade.migrations);
    await applyFunctions(tx, upgrade.functions);
    await recordRelease(tx, upgrade.release);
    if (running) await grantRunning(tx, running);
  });
  await applyOutside(sql, upgrade.migrations);
  return standing;
}

/** Asks again and again: a statement that waits would be waited for in turn by an index that is built beside it. */
async function takeLock(sql: postgres.Sql, report: (line: string) => void): Promise<void> {
  for (let reported = performance.now(); ; await sleep(lockPollMs)) {
    const [lock] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${migrationLock}) as taken`;
    if (lock?.taken) return;
    if (performance.now() - reported < patienceMs) continue;
    reported = performance.now();
    report('another process is upgrading the database; this one waits for it');
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
    if ((await standingIn(sql, upgrade)).kind === 'unserved') return false;
    return haveBeenApplied(sql, upgrade.functions);
  };
}
