import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildConnector, Pool } from 'undici';
import { expect, it } from 'vitest';
import { exchange } from './exchange.js';

it('a request given up while it waits for a connection is never sent, even if the connection opens later', async () => {
  let requests = 0;
  const server = createServer((_req, res) => {
    requests++;
    res.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const { port }: Pick<AddressInfo, 'port'> = typeof address === 'object' && address ? address : { port: 0 };

  const connectNow = buildConnector({});
  let connected = 0;
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: 1,
    connect: (options, callback) => {
      setTimeout(() => {
        connected++;
        connectNow(options, callback);
      }, 200);
    },
  });
  const request = { method: 'POST', path: '/', body: '{}' } as const;
  expect(await exchange(pool, request, AbortSignal.timeout(50))).toMatchObject({ kind: 'not_sent' });
  await sleep(300);
  expect([connected, requests]).toEqual([1, 0]);
  // The pool still works.
  expect(await exchange(pool, request, AbortSignal.timeout(5000))).toMatchObject({ kind: 'answer' });
  expect(requests).toBe(1);
  await pool.destroy();
  server.close();
});
