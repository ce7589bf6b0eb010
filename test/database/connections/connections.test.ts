/** A connection to Postgres that breaks at any moment is replaced, and no query waits forever. */
import { once } from 'node:events';
import { createServer, connect as dial, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { Books } from '../books.js';

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

/** This many working connections, and their sockets. */
async function connected(amount: number): Promise<Socket[]> {
  const connecting = vi.spyOn(Socket.prototype, 'connect');
  connection = books.another(amount);
  await Promise.all(Array.from({ length: amount }, one));
  const sockets = connecting.mock.contexts.filter((socket) => socket instanceof Socket);
  expect(sockets).toHaveLength(amount);
  return sockets;
}

const one = () => connection.sql<{ one: number }[]>`select 1 as one`;

/** The result of a query; `pending` if it has none within 10 s. */
const outcome = (query: PromiseLike<unknown>): Promise<unknown> =>
  Promise.race([
    Promise.resolve(query).then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message : error),
    ),
    sleep(10_000, 'pending', { ref: false }),
  ]);

test.each([1, 2])(
  'two that break together, one just before it sends a query, are replaced (%i of 2)',
  async (first) => {
    const sockets = await connected(2);
    const repeated = connection.sql`select pg_sleep(60)`.catch(() => outcome(one()));
    await sleep(100);
    for (const socket of first === 1 ? sockets : sockets.reverse()) socket.destroy();
    expect(await repeated).not.toBe('pending');
    expect(await Promise.all([outcome(one()), outcome(one())])).toEqual(['done', 'done']);
  },
);

test('one that is reset is replaced, even if the query is retried at once', async () => {
  const [socket] = await connected(1);
  const repeated = one().catch(() => outcome(one()));
  socket?.destroy(new Error('read ECONNRESET'));
  expect(await repeated).not.toBe('pending');
  expect(await outcome(one())).toBe('done');
  expect(await outcome(one())).toBe('done');
});

test('one that Postgres ends in the middle of a query is replaced, and the next query succeeds', async () => {
  await connected(1);
  const ended = connection.sql`select pg_terminate_backend(pg_backend_pid())`;
  expect(await outcome(ended)).not.toMatch(/done|pending/);
  expect(await outcome(one())).toBe('done');
});

describe('one that is lost while it is being opened', () => {
  /** The message with which Postgres ends a session for an administrator. */
  const ending = Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const fatal = Buffer.concat([Buffer.from([0x45, 0, 0, 0, ending.length + 4]), ending]);
  /** The driver's own first query on every connection, and the server's message that it is ready for it. */
  const asksTypes = (sent: Buffer) => sent.includes('pg_type');
  const isReady = (said: Buffer) => said.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]));

  /**
   * Queries through a proxy in front of Postgres. `lose` sees the data on the first connections and returns whether it has
   * swallowed it. Returns the number of connections.
   */
  async function through(
    lose: (client: Socket, data: Buffer, from: 'client' | 'server') => boolean,
    losses = 1,
  ): Promise<number> {
    const { hostname, port } = new URL(books.url);
    let times = 0;
    const sockets = new Set<Socket>();
    const proxy = createServer((client) => {
      times++;
      const server = dial(Number(port), hostname);
      const join = (from: Socket, to: Socket, name: 'client' | 'server') => {
        sockets.add(from);
        from.on('error', () => undefined).on('close', () => to.destroy());
        from.on('data', (data) => (times > losses || !lose(client, data, name) ? to.write(data) : server.destroy()));
      };
      join(client, server, 'client');
      join(server, client, 'server');
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen');
    const url = Object.assign(new URL(books.url), { hostname: '127.0.0.1', port: address.port }).href;
    connection = connect(url, { applicationName: 'lost', maxConnections: 1 });
    const nobodyCaught = vi.fn();
    process.on('unhandledRejection', nobodyCaught);
    try {
      const first = await outcome(one());
      expect(await outcome(one())).toBe('done');
      // The replacement connection has read the array types.
      expect(await connection.sql`select ${['a', 'b']}::text[] as names`).toMatchObject([{ names: ['a', 'b'] }]);
      expect(first).not.toBe('pending');
      await sleep(0);
      expect(nobodyCaught).not.toHaveBeenCalled();
      return times;
    } finally {
      process.off('unhandledRejection', nobodyCaught);
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  }

  test.each<[string, (client: Socket) => unknown]>([
    ['is ended by an administrator', (client) => client.end(fatal)],
    ['is closed', (client) => client.end()],
    ['is reset', (client) => client.resetAndDestroy()],
  ])('and %s when it asks for the array types is replaced', async (_what, end) => {
    const times = await through((client, data, from) => {
      if (from !== 'client' || !asksTypes(data)) return false;
      end(client);
      return true;
    });
    expect(times).toBe(2);
  });

  test('and is ended by an administrator just when it becomes ready is replaced', async () => {
    const times = await through((client, data, from) => {
      if (from !== 'server' || !isReady(data)) return false;
      client.end(Buffer.concat([data, fatal]));
      return true;
    });
    expect(times).toBe(2);
  });

  test('and is closed before Postgres has sent anything is replaced after a pause, each time', async () => {
    const from = performance.now();
    const times = await through((client, _data, side) => side === 'client' && client.end() !== null, 5);
    expect(times).toBe(6);
    expect(performance.now() - from).toBeGreaterThan(450);
  });
});
