/** Brings a database up to date: the migrations that it lacks, then the functions, then the rights of the running role. */
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { applyFunctions, haveBeenApplied, readFunctionFiles } from './functions.js';
import { grantRunning, type RunningRole } from './roles.js';

/** A build holds a copy: a running stack keeps the files that it was started from. */
const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));

/** Any number will do, as long as every process takes the same one. */
const migrationLock = 4_841_302;

/**
 * Applies the migrations that are missing and the functions that differ; any number of processes may do so at once.
 * Rejects with Postgres's error when the database cannot be reached or a migration fails, and with one that names the
 * file when functions are refused; a migration or a set of functions that fails leaves nothing behind.
 * @param databaseUrl of the role that owns the database
 * @param running the role of API and workers, which gets its rights; null where they run as the owner
 */
export async function migrate(databaseUrl: string, running: RunningRole | null = null): Promise<void> {
  // One connection, never exchanged for another: the lock belongs to its session.
  const sql = postgres(databaseUrl, {
    max: 1,
    max_lifetime: null,
    connect_timeout: 5,
    onnotice: () => undefined,
    connection: { application_name: 'holdfast migrate', TimeZone: 'UTC' },
  });
  try {
    // Drizzle's migrator run twice at once fails on the table it keeps its own books in.
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
 * Takes note of the migrations and functions that this process was started with, and returns a function that tells
 * whether a database holds them. One that has moved on holds them still: see `haveBeenApplied`. That function rejects
 * with Postgres's error when the database cannot be asked.
 */
export function schemaCheck(): (sql: postgres.Sql) => Promise<boolean> {
  const newest = Math.max(...readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis));
  const functions = readFunctionFiles();
  return async (sql) => {
    const [books] = await sql<{ exist: boolean }[]>`
      select to_regclass('drizzle.__drizzle_migrations') is not null and to_regclass('sql_functions') is not null as exist`;
    if (!books?.exist) return false;
    const [applied] = await sql<{ newest: boolean }[]>`
      select coalesce(max(created_at) >= ${newest}, false) as newest from drizzle.__drizzle_migrations`;
    return applied?.newest === true && (await haveBeenApplied(sql, functions));
  };
}
