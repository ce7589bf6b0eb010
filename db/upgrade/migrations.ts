/**
 * The migrations: those that a database lacks, in the order of the journal. db/migrations/README.md has the rules for
 * writing them. Drizzle's table keeps the books, as its own migrator would write them, which processes of 0.1.0 read.
 */
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type postgres from 'postgres';

/** A transaction, or a connection. */
type Sql = postgres.ISql;

export interface Migration {
  readonly statements: readonly string[];
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** When it was written, in milliseconds since 1970: its name in the books. */
  readonly when: number;
}

/** A build holds a copy: a running stack keeps the files that it was started from. */
const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));
/** How a file begins whose statements run one by one. */
const outsideMark = '-- outside a transaction\n';

export function readMigrations(folder = migrationsFolder): readonly Migration[] {
  const files = readMigrationFiles({ migrationsFolder: folder });
  return files.map(({ sql, hash, folderMillis }) => ({ statements: sql, hash, when: folderMillis }));
}

/** Whether the file builds or drops indexes while others write, which Postgres does in no transaction. */
export function isOutside({ statements }: Migration): boolean {
  return statements[0]?.startsWith(outsideMark) === true;
}

export async function missingMigrations(sql: Sql, all: readonly Migration[]): Promise<readonly Migration[]> {
  const applied = new Set(await appliedMigrations(sql));
  return all.filter(({ when }) => !applied.has(when));
}

/** Whether the database has a migration that is newer than all of these. */
export async function hasNewerMigration(sql: Sql, all: readonly Migration[]): Promise<boolean> {
  const newest = Math.max(...all.map(({ when }) => when));
  return (await appliedMigrations(sql)).some((when) => when > newest);
}

async function appliedMigrations(sql: Sql): Promise<readonly number[]> {
  const [books] = await sql<
    { exist: boolean }[]
  >`select to_regclass('drizzle.__drizzle_migrations') is not null as exist`;
  if (!books?.exist) return [];
  const applied = await sql<{ when: number }[]>`select created_at::float8 as when from drizzle.__drizzle_migrations`;
  return applied.map(({ when }) => when);
}

/** Applies the missing ones that run in a transaction: in this one. */
export async function applyInside(tx: Sql, all: readonly Migration[]): Promise<void> {
  await tx`create schema if not exists drizzle`;
  await tx`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`;
  for (const migration of await missingMigrations(tx, all)) {
    if (isOutside(migration)) continue;
    for (const statement of migration.statements) await tx.unsafe(statement);
    await record(tx, migration);
  }
}

/**
 * Applies the missing ones that run outside a transaction. Each statement may be repeated, so one that was killed half-way
 * is done again: an index that Postgres left invalid is dropped first.
 */
export async function applyOutside(sql: Sql, all: readonly Migration[]): Promise<void> {
  for (const migration of await missingMigrations(sql, all)) {
    if (!isOutside(migration)) continue;
    for (const statement of migration.statements) {
      const [, index] = /^create (?:unique )?index concurrently if not exists "(\w+)"/im.exec(statement) ?? [];
      if (index !== undefined) await dropInvalid(sql, index);
      await sql.unsafe(statement);
    }
    await record(sql, migration);
  }
}

async function dropInvalid(sql: Sql, index: string): Promise<void> {
  const [broken] = await sql`select from pg_index where indexrelid = to_regclass(${index}) and not indisvalid`;
  if (broken) await sql`drop index concurrently ${sql(index)}`;
}

async function record(sql: Sql, { hash, when }: Migration): Promise<void> {
  await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${when})`;
}
