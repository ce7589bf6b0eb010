/** A connection to Postgres that breaks, at whatever moment, is made again, and no query waits for ever. */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Connection } from '../../db/client.js';
import { Books } from '../model/books.js';

let books: Books;
let connection: Connection;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());
afterEach(async () => {
  vi.restoreAllMocks();
  await connection.close();
});

/** So many connections that work, and the sockets that they go over. */
async function connected(amount: number): Promise<Socket[]> {
  const connecting = vi.spyOn(Socket.prototype, 'connect');
  connection = books.another(amount);
  await Promise.all(Array.from({ length: amount }, one));
  const sockets = connecting.mock.contexts.filter((socket) => socket instanceof Socket);
  expect(sockets).toHaveLength(amount);
  return sockets;
}

const one = () => connection.sql<{ one: number }[]>`select 1 as one`;

/** What became of a query; `pending` where it is not decided within 10 s. */
const outcome = (query: PromiseLike<unknown>): Promise<unknown> =>
  Promise.race([
    Promise.resolve(query).then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message : error),
    ),
    sleep(10_000, 'pending', { ref: false }),
  ]);

test.each([1, 2])('those that break together, one while a query is about to leave it (%i of 2)', async (first) => {
  const sockets = await connected(2);
  const repeated = connection.sql`select pg_sleep(60)`.catch(() => outcome(one()));
  await sleep(100);
  for (const socket of first === 1 ? sockets : sockets.reverse()) socket.destroy();
  expect(await repeated).not.toBe('pending');
  expect(await Promise.all([outcome(one()), outcome(one())])).toEqual(['done', 'done']);
});

test('one that is reset, where the query is repeated at once', async () => {
  const [socket] = await connected(1);
  const repeated = one().catch(() => outcome(one()));
  socket?.destroy(new Error('read ECONNRESET'));
  expect(await repeated).not.toBe('pending');
  expect(await outcome(one())).toBe('done');
  expect(await outcome(one())).toBe('done');
});

test('one that Postgres ends in the middle of a query, of which the next query hears nothing', async () => {
  await connected(1);
  const ended = connection.sql`select pg_terminate_backend(pg_backend_pid())`;
  expect(await outcome(ended)).not.toMatch(/done|pending/);
  expect(await outcome(one())).toBe('done');
});
