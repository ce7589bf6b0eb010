/** A Postgres that does not answer holds up no caller, and runs no statement that its caller has given up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eq, sql as words } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { locations } from '../../../db/schema/index.js';
import { type Valve, valveBefore } from '../../valve.js';
import { Books } from '../books.js';

const timeoutSeconds = 1;
let books: Books;
let valve: Valve;
let connection: Connection;

beforeEach(async () => {
  books = await Books.open();
  valve = await valveBefore(books.url);
  connection = connect(valve.url, { applicationName: 'bounds', maxConnections: 2, timeoutSeconds });
  await Promise.all([one(), one()]);
});
afterEach(async () => {
  valve.open();
  await connection.close();
  valve.close();
  await books.close();
});

const one = () => connection.sql<{ one: number }[]>`select 1 as one`;
const failure = (query: PromiseLike<unknown>) =>
  Promise.resolve(query).then(
    () => 'answered',
    (error: { code?: unknown }) => error.code,
  );

test('every query ends in time while Postgres is stopped, however many there are', async () => {
  valve.shut();
  const began = performance.now();
  const ends = await Promise.all(Array.from({ length: 50 }, () => failure(one())));
  // Two have a connection and the others wait for one; no query waits for another to time out.
  expect(performance.now() - began).toBeLessThan(timeoutSeconds * 1000 * 10);
  expect(new Set(ends)).toEqual(new Set(['POSTGRES_TIMEOUT']));
  valve.open();
  expect(await one()).toMatchObject([{ one: 1 }]);
});

test('a query that was given up before it was sent never runs', async () => {
  const code = `bounds-${Date.now()}`;
  const insert = (place: string) =>
    connection.sql`insert into locations (code, name, created_by) values (${place}, 'Bounds', 'bounds')`;
  valve.shut();
  const ends = await Promise.all(Array.from({ length: 10 }, (_, index) => failure(insert(`${code}-${index}`))));
  expect(new Set(ends)).toEqual(new Set(['POSTGRES_TIMEOUT']));
  valve.open();
  await one();
  // The statements held in the two connections may arrive now.
  await sleep(500);
  const [late] = await books.sql<{ count: number }[]>`
    select count(*)::int as count from locations where starts_with(code, ${code})`;
  expect(late?.count).toBeLessThanOrEqual(2);
});

test('connections that died without being closed are replaced', async () => {
  valve.hold();
  await expect.poll(() => failure(one()), { timeout: 20_000 }).toBe('answered');
  expect(await Promise.all([one(), one(), one()])).toHaveLength(3);
});

test('Postgres cancels a statement that takes too long, and the connection stays usable', async () => {
  const [before] = await connection.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  expect(await failure(connection.sql`select pg_sleep(60)`)).toMatch(/^(57014|POSTGRES_TIMEOUT)$/);
  await sleep(500);
  const [running] = await books.sql<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity where application_name = 'bounds' and state = 'active'`;
  expect(running?.count).toBe(0);
  const pids = await Promise.all([1, 2].map(() => connection.sql<{ pid: number }[]>`select pg_backend_pid() as pid`));
  expect(pids.flat().map(({ pid }) => pid)).toContain(before?.pid);
});

test('a statement with a longer limit is given that time', async () => {
  expect(await failure(connection.slowSql`select pg_sleep(${timeoutSeconds * 1.5})`)).toBe('answered');
});

test('fragments and arrays work as on a plain connection, and times are read as RFC 3339', async () => {
  const [row] = await connection.sql<{ names: string[]; found: boolean }[]>`
    select ${['a', 'b']}::text[] as names, ${connection.sql`${2} > ${1}`} as found`;
  expect(row).toEqual({ names: ['a', 'b'], found: true });
  const [main] = await connection.db
    .select({ at: locations.createdAt, now: words<string>`now()` })
    .from(locations)
    .where(eq(locations.code, 'main'));
  expect(main?.at).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);
});
