/** Upgrades a database: missing migrations first, then the functions, then the rights of the running role. */
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { applyFunctions, haveBeenApplied, readFunctionFiles } from './functions.js';
import { grantRunning, type RunningRole } from './roles.js';

/** A build has its own copy, so that a running stack keeps the files that it was started from. */
const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));

/** An arbitrary number, the same in every process. */
const migrationLock = 4_841_302;

/**
 * Applies missing migrations, and the functions if any differ. Any number of processes may do so at once. Rejects with
 * Postgres's error if the database cannot be reached or a migration fails, and with an error that names the file if
 * Postgres rejects a function. A failed migration or set of functions leaves nothing behind.
 * @param databaseUrl of the role that owns the database
 * @param running the role of API and workers, which is granted its rights; null if they run as the owner
 */
export async function migrate(databaseUrl: string, running: RunningRole | null = null): Promise<void> {
  // One connection that is never replaced: the lock belongs to its session.
  const sql = postgres(databaseUrl, {
    max: 1,
    max_lifetime: null,
    connect_timeout: 5,
    onnotice: () => undefined,
    connection: { application_name: 'holdfast migrate', TimeZone: 'UTC' },
  });
  try {
    // Two concurrent runs of Drizzle's migrator collide on its own table.
    await sql`select pg_advisory_lock(${migrationLock})`;
    await runMigrations(drizzle(sql), { migrationsFolder });
    await sql.begin(async (tx) => {
      await applyFunctions(tx, readFunctionFiles());
      if (running) await grantRunning(tx, running);
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Reads the migrations and functions that this process was started with, and returns a check of whether a database has
 * them. A database that was upgraded since passes too: see `haveBeenApplied`. The check rejects with Postgres's error if
 * the database cannot be reached.
 */
export function schemaCheck(): (sql: postgres.Sql) => Promise<boolean> {
  const newest = Math.max(...readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis));
  const functions = readFunctionFiles();
  return async (sql) => {
    const [tables] = await sql<{ exist: boolean }[]>`
      select to_regclass('drizzle.__drizzle_migrations') is not null and to_regclass('sql_functions') is not null as exist`;
    if (!tables?.exist) return false;
    const [applied] = await sql<{ newest: boolean }[]>`
      select coalesce(max(created_at) >= ${newest}, false) as newest from drizzle.__drizzle_migrations`;
    return applied?.newest === true && (await haveBeenApplied(sql, functions));
  };
}
