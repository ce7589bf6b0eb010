/**
 * Applies the SQL functions: all files of db/functions together, if a database lacks one or has another version of it.
 * db/functions/README.md has the rules for writing them.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { definerFunctions, secureDefiners } from './roles.js';

/** A transaction or a connection. */
type Sql = postgres.ISql;

export interface FunctionFile {
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
}

const functionsFolder = fileURLToPath(new URL('../functions', import.meta.url));

/** The files of a folder in the order of their names, which is the order of application. */
export function readFunctionFiles(folder = functionsFolder): readonly FunctionFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return { name, text, hash: createHash('sha256').update(text).digest('hex') };
  });
}

/**
 * Applies the files if the database lacks one, has another version of one, or has lost the rights of a definer function;
 * otherwise it costs one query. Takes a transaction that holds the migrations' lock, so that a database is never half
 * upgraded. Rejects with an error that names the file if Postgres rejects one.
 */
export async function applyFunctions(tx: Sql, files: readonly FunctionFile[]): Promise<void> {
  if (await areInPlace(tx, files)) return;
  // A function may call one of a later file, so bodies are checked after all of them exist.
  await tx`set local check_function_bodies = off`;
  await eachFile(files, ({ text }) => tx.unsafe(text));
  await tx`set local check_function_bodies = on`;
  await eachFile(files, (file) => checkBodies(tx, file));
  await secureDefiners(tx);
  await record(tx, files);
}

/** The names of the functions that a file defines, in order. */
export function functionsOf({ text }: FunctionFile): readonly string[] {
  return [...text.matchAll(/^create or replace function (\w+)/gm)].map(([, name = '']) => name);
}

/**
 * Whether the database has had every file applied, now or in an earlier release. Functions also serve the previous
 * release (docs/OPERATIONS.md), so a process stays ready after its database was upgraded.
 */
export async function haveBeenApplied(sql: Sql, files: readonly FunctionFile[]): Promise<boolean> {
  const [row] = await sql<{ applied: boolean }[]>`
    select not exists (
      select from unnest(${files.map(({ name }) => name)}::text[], ${files.map(({ hash }) => hash)}::text[]) as mine(file, hash)
        left join sql_functions known using (file)
       where (mine.hash = known.hash or mine.hash = any (known.superseded)) is not true) as applied`;
  return row?.applied ?? false;
}

async function areInPlace(tx: Sql, files: readonly FunctionFile[]): Promise<boolean> {
  const [row] = await tx<{ inPlace: boolean }[]>`
    select not exists (
             select from unnest(${files.map(({ name }) => name)}::text[], ${files.map(({ hash }) => hash)}::text[]) as mine(file, hash)
               full join (select file, hash from sql_functions where hash is not null) as known using (file, hash)
              where mine.hash is null or known.hash is null)
       and not exists (
             select from unnest(${[...definerFunctions]}::text[]) as definer
               left join pg_proc p on p.oid = to_regprocedure(definer)
              where p.prosecdef is not true or has_function_privilege('public', p.oid, 'execute')) as "inPlace"`;
  return row?.inPlace ?? false;
}

/** Sends the statements of all files at once, in one round trip. The error names the first file that failed. */
async function eachFile(files: readonly FunctionFile[], send: (file: FunctionFile) => Promise<unknown>): Promise<void> {
  const outcomes = await Promise.allSettled(files.map(send));
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') continue;
    if (!(outcome.reason instanceof postgres.PostgresError)) throw outcome.reason;
    const { message, where } = outcome.reason;
    throw new Error(`db/functions/${files[index]?.name}: ${message}${where ? ` (${where})` : ''}`, {
      cause: outcome.reason,
    });
  }
}

/** Lets Postgres validate the bodies, as `create function` does with check_function_bodies on. */
async function checkBodies(tx: Sql, file: FunctionFile): Promise<void> {
  await tx`
    select case l.lanname when 'plpgsql' then plpgsql_validator(p.oid) when 'sql' then fmgr_sql_validator(p.oid) end
      from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace = current_schema()::regnamespace and p.proname = any (${[...functionsOf(file)]}::text[])`;
}

/** Records the applied files. Keeps the row of a deleted file, since processes of earlier releases check for it. */
async function record(tx: Sql, files: readonly FunctionFile[]): Promise<void> {
  const names = files.map(({ name }) => name);
  await tx`
    update sql_functions set superseded = array_append(superseded, hash), hash = null
     where file <> all (${names}::text[]) and hash is not null`;
  await tx`
    insert into sql_functions as known (file, hash)
    select * from unnest(${names}::text[], ${files.map(({ hash }) => hash)}::text[])
        on conflict (file) do update
       set hash = excluded.hash,
           superseded = array(select distinct earlier from unnest(known.superseded || known.hash) as earlier
                               where earlier <> excluded.hash)`;
}
