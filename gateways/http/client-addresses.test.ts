/** Calls to addresses set by clients, against servers at allowed and forbidden addresses. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import type { AllowedHost } from '../../domain/addresses.js';
import { type ClientHttp, type ClientHttpOptions, createClientHttp } from './client-addresses.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Served {
  readonly port: number;
  readonly requests: string[];
  readonly server: Server;
  connections: number;
}

async function serve(answer: RequestListener = (_req, res) => res.end('{}')): Promise<Served> {
  const requests: string[] = [];
  const server = createServer((req, res) => {
    requests.push(`${req.method} ${req.url}`);
    answer(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const served: Served = { port: (server.address() as AddressInfo).port, requests, server, connections: 0 };
  server.on('connection', () => served.connections++);
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return served;
}

function client(allowed: readonly AllowedHost[], more: Partial<ClientHttpOptions> = {}): ClientHttp {
  const http = createClientHttp('test', { timeoutMs: 3000, allowed, ...more });
  cleanups.push(() => http.close());
  return http;
}

const loopback = [{ host: '127.0.0.1', port: null }];
const get = { method: 'GET', path: '/ask' } as const;

describe('a call to an address that a client set', () => {
  it('reaches an allowed host, below the path of its URL', async () => {
    const { port, requests } = await serve();
    expect(await client(loopback).call(`http://127.0.0.1:${port}/acme/`, get)).toEqual({ status: 200, body: {} });
    expect(requests).toEqual(['GET /acme/ask']);
  });

  it.each([
    ['an address', () => '127.0.0.1'],
    ['an IPv6 form of it', () => '[::ffff:127.0.0.1]'],
    ['a name that resolves to it', () => 'localhost'],
    ['the name of this machine', () => hostname()],
  ])('opens no connection to a private address: %s', async (_what, host) => {
    const served = await serve();
    const calling = client([]).call(`http://${host()}:${served.port}`, get);
    await expect(calling).rejects.toMatchObject({ name: 'GatewayFault', fault: 'unreachable' });
    expect([served.connections, served.requests]).toEqual([0, []]);
  });

  it('is also checked by port, and by the name or the address it resolves to', async () => {
    const [one, other] = [await serve(), await serve()];
    const byName = client([{ host: 'localhost', port: one.port }]);
    expect((await byName.call(`http://localhost:${one.port}`, get)).status).toBe(200);
    await expect(byName.call(`http://localhost:${other.port}`, get)).rejects.toMatchObject({ fault: 'unreachable' });
    await expect(byName.call(`http://127.0.0.1:${one.port}`, get)).rejects.toMatchObject({ fault: 'unreachable' });
    const byAddress = client([{ host: '127.0.0.1', port: one.port }]);
    expect((await byAddress.call(`http://localhost:${one.port}`, get)).status).toBe(200);
    expect([one.requests.length, other.connections]).toEqual([2, 0]);
  });

  it('follows no redirect', async () => {
    const target = await serve();
    const { port } = await serve((_req, res) =>
      res.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end('{}'),
    );
    await expect(client(loopback).call(`http://127.0.0.1:${port}`, get)).rejects.toMatchObject({
      fault: 'server_error',
    });
    expect(target.requests).toEqual([]);
  });

  it('uses no proxy', async () => {
    const [proxy, { port }] = [await serve(), await serve()];
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, http_proxy: process.env.HTTP_PROXY });
    cleanups.push(() => {
      process.env = before;
    });
    expect((await client(loopback).call(`http://127.0.0.1:${port}`, get)).status).toBe(200);
    expect(proxy.connections).toBe(0);
  });

  it.each(['ftp://127.0.0.1', 'not a url', 'file:///etc/passwd'])('to %s is not made', async (url) => {
    await expect(client(loopback).call(url, get)).rejects.toMatchObject({ fault: 'unreachable' });
  });
});

describe('connections to addresses that clients set', () => {
  it('are closed after a while without calls, and reopened by the next call', async () => {
    const { port, server } = await serve();
    const http = client(loopback, { idleMs: 50 });
    const open = () => new Promise<number>((done) => server.getConnections((_error, count) => done(count)));
    await http.call(`http://127.0.0.1:${port}`, get);
    expect(http.origins).toBe(1);
    await expect.poll(() => http.origins).toBe(0);
    await expect.poll(open).toBe(0);
    expect((await http.call(`http://127.0.0.1:${port}`, get)).status).toBe(200);
  });

  it('are limited to a number of origins: the least recently called is closed, but none with calls in flight', async () => {
    let finish: () => void = () => undefined;
    const hanging = await serve((_req, res) => {
      finish = () => res.end('{"late":true}');
    });
    const http = client(loopback, { maxOrigins: 2 });
    const late = http.call(`http://127.0.0.1:${hanging.port}`, get);
    await expect.poll(() => hanging.requests.length).toBe(1);
    const others = [await serve(), await serve(), await serve()];
    for (const { port } of others) {
      await http.call(`http://127.0.0.1:${port}`, get);
      expect(http.origins).toBeLessThanOrEqual(2);
    }
    finish();
    expect(await late).toEqual({ status: 200, body: { late: true } });
  });
});
