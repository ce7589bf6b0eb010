/** A database has the SQL functions of db/functions, and they change all together or not at all. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  applyFunctions,
  type FunctionFile,
  functionsOf,
  haveBeenApplied,
  readFunctionFiles,
} from '../../../db/upgrade/functions.js';
import { migrate, schemaCheck } from '../../../db/upgrade/migrate.js';
import { definerFunctions } from '../../../db/upgrade/roles.js';
import { maxLinesPerOrder, maxMinorUnits } from '../../../domain/limits.js';
import { type Scratch, scratchDatabase } from '../scratch.js';

const files = readFunctionFiles();
const isUpToDate = schemaCheck();
let scratch: Scratch;
beforeAll(async () => {
  scratch = await scratchDatabase();
});
beforeEach(() => migrate(scratch.url));
afterAll(() => scratch.drop());

/** Every function in the database, with the transaction that wrote it. */
const writtenBy = async () =>
  Object.fromEntries(
    (
      await scratch.sql<{ name: string; xmin: string }[]>`
        select proname as name, xmin::text from pg_proc where pronamespace = 'public'::regnamespace order by proname`
    ).map(({ name, xmin }) => [name, xmin]),
  );
const bodyOf = async (name: string) =>
  (
    await scratch.sql<{ body: string }[]>`select pg_get_functiondef(oid) as body from pg_proc where proname = ${name}`
  )[0]?.body;
const apply = (set: readonly FunctionFile[]) => scratch.sql.begin((tx) => applyFunctions(tx, set));

/** The files, with one of them changed. */
function changed(name: string, change: (text: string) => string): readonly FunctionFile[] {
  return files.map((file) => (file.name === name ? { ...file, text: change(file.text), hash: `other ${name}` } : file));
}
const another = () => changed('02_stock_answers.sql', (text) => text.replace("'null'", "'null'::text"));

test('a migrated database has exactly the functions of the files', async () => {
  expect(Object.keys(await writtenBy())).toEqual(files.flatMap(functionsOf).sort());
});

test("an order's limits are the same in SQL as in domain/", async () => {
  expect(await scratch.sql`select max_order_lines() as lines, max_order_total()::int as total`).toEqual([
    { lines: maxLinesPerOrder, total: maxMinorUnits },
  ]);
});

describe('migrate', () => {
  test('leaves up-to-date functions alone', async () => {
    const before = await writtenBy();
    await migrate(scratch.url);
    expect(await writtenBy()).toEqual(before);
  });

  test('replaces all functions if one file differs, even if many processes migrate at once', async () => {
    const before = await writtenBy();
    const body = await bodyOf('json_text');
    await scratch.sql`update sql_functions set hash = 'older' where file = '02_stock_answers.sql'`;
    await scratch.sql.unsafe("create or replace function json_text(p text) returns text language sql return 'older'");
    expect(await isUpToDate(scratch.sql)).toBe(false);
    await Promise.all([1, 2, 3].map(() => migrate(scratch.url)));
    expect(await bodyOf('json_text')).toEqual(body);
    expect(await isUpToDate(scratch.sql)).toBe(true);
    const after = await writtenBy();
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [name, xmin] of Object.entries(after)) expect(`${name} ${xmin}`).not.toBe(`${name} ${before[name]}`);
  });

  test('restores lost rights of definer functions', async () => {
    await scratch.sql.unsafe('alter function order_apply(jsonb) security invoker');
    await migrate(scratch.url);
    const [row] = await scratch.sql`
      select count(*)::int as definers from pg_proc where prosecdef and pronamespace = 'public'::regnamespace`;
    expect(row?.definers).toBe(definerFunctions.length);
  });
});

describe('a set of files', () => {
  test.each([
    ['a statement that Postgres cannot parse', (text: string) => `${text}\ncreate or replace function broken(`],
    ['a body that Postgres cannot parse', (text: string) => text.replace('return null;', 'return null; if if;')],
    [
      'a body that calls what does not exist',
      (text: string) => `${text}\ncreate or replace function broken() returns int language sql as 'select none()';`,
    ],
  ])('with %s is refused as a whole, with the name of the file', async (_what, change) => {
    const before = await writtenBy();
    const set = changed('04_stock_follows.sql', change);
    await expect(apply(set)).rejects.toThrow('db/functions/04_stock_follows.sql: ');
    expect(await writtenBy()).toEqual(before);
    expect(await haveBeenApplied(scratch.sql, set)).toBe(false);
    expect(await isUpToDate(scratch.sql)).toBe(true);
  });

  test("that replaces another keeps the old one's processes ready; processes of files never applied are not", async () => {
    expect(await haveBeenApplied(scratch.sql, another())).toBe(false);
    await apply(another());
    expect(await haveBeenApplied(scratch.sql, another())).toBe(true);
    expect(await isUpToDate(scratch.sql)).toBe(true);
  });

  test('may lack a file of the previous set, whose processes stay ready', async () => {
    await apply(files.filter(({ name }) => name !== '90_removed.sql'));
    expect(await scratch.sql`select hash from sql_functions where file = '90_removed.sql'`).toEqual([{ hash: null }]);
    expect(await isUpToDate(scratch.sql)).toBe(true);
    await migrate(scratch.url);
    expect(await scratch.sql`select hash is not null as back from sql_functions where file = '90_removed.sql'`).toEqual(
      [{ back: true }],
    );
  });
});

test('a database without the table sql_functions is not up to date', async () => {
  await scratch.sql`alter table sql_functions rename to elsewhere`;
  expect(await isUpToDate(scratch.sql)).toBe(false);
  await scratch.sql`alter table elsewhere rename to sql_functions`;
});
