/** Brings a database up to the newest migration. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { grantRunning, type RunningRole, secureDoors } from './roles.js';

/** Any number will do, as long as every process takes the same one. */
const migrationLock = 4_841_302;

/**
 * Applies the migrations that are missing; any number of processes may do so at once. Rejects with Postgres's error when
 * the database cannot be reached or a migration fails: then nothing of this call is applied.
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
    await runMigrations(drizzle(sql), { migrationsFolder: join(projectRoot(), 'db/migrations') });
    await sql.begin(async (tx) => {
      await secureDoors(tx);
      if (running) await grantRunning(tx, running);
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Takes note of the migrations that there are now, and returns a function that tells how many of them a database lacks. A
 * process asks for those it was started with: files that come later are not its own. That function rejects with
 * Postgres's error when the database cannot be asked.
 */
export function migrationCheck(): (sql: postgres.Sql) => Promise<number> {
  const known = readMigrationFiles({ migrationsFolder: join(projectRoot(), 'db/migrations') });
  return async (sql) => {
    const [books] = await sql<{ exist: boolean }[]>`
      select to_regclass('drizzle.__drizzle_migrations') is not null as exist`;
    if (!books?.exist) return known.length;
    const [newest] = await sql<{ madeAt: string | null }[]>`
      select max(created_at)::text as "madeAt" from drizzle.__drizzle_migrations`;
    return known.filter((migration) => migration.folderMillis > Number(newest?.madeAt ?? 0)).length;
  };
}

/** The SQL files are not built: they lie in the project, wherever under it this file runs from. */
function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
  return folder;
}
