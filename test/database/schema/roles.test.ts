/** The rights of the role that API and workers run as, as Postgres reports them. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createLedger } from '../../../db/stock/ledger.js';
import { definerFunctions, directWrites, tooStrong } from '../../../db/upgrade/roles.js';
import { Books, newHoldId, operation, verify } from '../books.js';

let books: Books;
let running: postgres.Sql;
beforeAll(async () => {
  books = await Books.open();
  const { name: username, password } = inject('runningRole');
  const url = Object.assign(new URL(books.url), { username, password }).href;
  running = postgres(url, { max: 2, onnotice: () => undefined });
});
afterAll(async () => {
  await running.end();
  await books.close();
});

const refused = (statement: string) =>
  running.unsafe(statement).then(
    () => 'done',
    ({ code }: { code?: string }) => code,
  );

test('it can write only the listed tables, and truncate, reference or maintain none', async () => {
  const rights = await running<{ table: string; privilege: string }[]>`
    select c.relname as table, lower(privilege) as privilege
      from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) as r(privilege)
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
       and (has_table_privilege(c.oid, privilege)
            or privilege in ('INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege(c.oid, privilege))`;
  const allowed = Object.entries(directWrites).flatMap(([table, of]) => of.map((right) => `${right} ${table}`));
  expect(rights.map(({ table, privilege }) => `${privilege} ${table}`).sort()).toEqual(allowed.sort());
});

test('it owns nothing, can create nothing, and belongs to no other role', async () => {
  const [facts] = await running`
    select rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication as strong,
           (select count(*)::int from pg_class where relowner = r.oid) as tables,
           (select count(*)::int from pg_proc where proowner = r.oid) as functions,
           (select count(*)::int from pg_auth_members where member = r.oid) as memberships,
           has_schema_privilege('public', 'create') as "makesTables", has_schema_privilege('drizzle', 'create') as "migrates",
           has_database_privilege(current_database(), 'create') as "makesSchemas"
      from pg_roles r where rolname = current_user`;
  expect(facts).toEqual({
    strong: false,
    ...{ tables: 0, functions: 0, memberships: 0, makesTables: false, migrates: false, makesSchemas: false },
  });
  expect(await tooStrong(running)).toBeNull();
  expect(await tooStrong(books.sql)).toMatch(/is a superuser/);
});

test("only the listed functions have the owner's rights, each with a fixed search path and closed to other roles", async () => {
  const found = await running<{ name: string; path: string | null; open: boolean }[]>`
    select p.oid::regprocedure::text as name,
           (select setting from unnest(proconfig) setting where setting like 'search_path=%') as path,
           has_function_privilege('public', p.oid, 'execute') as open
      from pg_proc p where prosecdef order by 1`;
  expect(found).toEqual(
    definerFunctions
      .map((name) => ({ name: name.replaceAll(', ', ','), path: 'search_path=public, pg_temp', open: false }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
});

describe('it cannot run', () => {
  test.each([
    'update stock_levels set on_hand = on_hand + 1',
    'delete from stock_ledger',
    "update reservations set status = 'pending'",
    "insert into stock_operations (key, result) values ('x', '{}')",
    'delete from order_events',
    "update orders set status = 'confirmed'",
    "update payments set status = 'refunded'",
    'truncate outbox',
    'alter table stock_ledger disable trigger all',
    "set session_replication_role = 'replica'",
    'drop function stock_apply(jsonb)',
    'create table public.mine (id int)',
    'select payment_write(\'{"id": "pay_x", "status": "captured", "amount": 1, "currency": "USD"}\')',
  ])('%s', async (statement) => {
    expect(await refused(statement)).toBe('42501');
  });

  test('a temporary table cannot shadow one of ours', async () => {
    const sku = await books.newSku(1);
    await running.begin(async (tx) => {
      await tx.unsafe('create temporary table stock_levels (like public.stock_levels) on commit drop');
      await tx`insert into pg_temp.stock_levels values (${sku}, 'main', 1000, 0, '-infinity', 0)`;
      const asked = operation([
        { kind: 'reserve', reservationId: newHoldId(), sku, location: 'main', quantity: 1000, holdSeconds: 60 },
      ]);
      const [row] = await tx`select stock_apply(${JSON.stringify([asked])}::text::jsonb) as results`;
      expect(row?.results).toMatchObject([
        { outcome: 'refused', refusal: { code: 'insufficient_stock', available: 1 } },
      ]);
    });
  });
});

test('the functions work for it as they do for the owner', async () => {
  const sku = await books.newSku(2);
  const asked = operation([
    { kind: 'reserve', reservationId: newHoldId(), sku, location: 'main', quantity: 1, holdSeconds: 60 },
  ]);
  expect(await createLedger(running).apply([asked])).toMatchObject([{ outcome: 'done' }]);
  expect((await verify(running)).filter((difference) => difference.sku === sku)).toEqual([]);
});
