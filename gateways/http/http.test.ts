/** The fault for each kind of failure, against servers that really fail. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayFault } from './fault.js';
import { type CallOptions, createHttpGateway, type HttpGateway } from './http.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Served {
  readonly url: string;
  /** Raw requests in order of arrival. */
  readonly requests: string[];
  readonly connections: () => number;
}

/** A server that calls `react` for each request. Requests are small, so each arrives in one chunk. */
async function serve(react: (socket: Socket, nth: number) => void): Promise<Served> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    socket.on('data', (chunk) => {
      requests.push(chunk.toString());
      react(socket, requests.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server.address())}`, requests, connections: () => connections };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function gateway(baseUrl: string, timeoutMs = 1500): HttpGateway {
  const http = createHttpGateway('test', { baseUrl, timeoutMs });
  cleanups.push(() => http.close());
  return http;
}

const post = (http: HttpGateway, options?: CallOptions) =>
  http.call(
    { method: 'POST', path: '/pay', body: { token: 'tok_secret', amount: 1 }, idempotencyKey: 'key-1' },
    options,
  );

/** Undici reuses a connection only one turn of the event loop after its answer. */
const backInThePool = () => sleep(2);

/** The fault of a call that must fail; any other outcome fails the test. */
async function faultOf(call: Promise<unknown>): Promise<GatewayFault> {
  const error = await call.then(
    (answer) => new Error(`answered ${JSON.stringify(answer)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayFault)) throw error;
  expect(error.message).not.toContain('secret');
  return error;
}

const json = (body: string, status = '200 OK') =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('unreachable: nothing was sent', () => {
  it('if the port is closed', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server.address());
    server.close();
    await once(server, 'close');
    const fault = await faultOf(post(gateway(`http://127.0.0.1:${port}`)));
    expect(fault.fault).toBe('unreachable');
    expect(fault.message).toContain('ECONNREFUSED');
  });

  it('if the name does not exist', async () => {
    expect((await faultOf(post(gateway('http://nowhere.invalid', 5000)))).fault).toBe('unreachable');
  });

  it('if the connection is not established in time', async () => {
    // A connection is established after the TLS handshake, which this server never completes.
    const { url } = await serve(() => undefined);
    const started = performance.now();
    expect((await faultOf(post(gateway(url.replace('http:', 'https:'), 200)))).fault).toBe('unreachable');
    expect(performance.now() - started).toBeGreaterThan(190);
  });

  it('if the caller had already given up', async () => {
    const { url, requests } = await serve((socket) => socket.write(json('{}')));
    expect((await faultOf(post(gateway(url), { signal: AbortSignal.abort() }))).fault).toBe('unreachable');
    expect(requests).toEqual([]);
  });
});

describe('no_answer: it may have happened', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['the server never answers', () => undefined],
    ['the connection is closed', (socket) => socket.end()],
    ['the connection is reset', (socket) => socket.resetAndDestroy()],
    ['the head of the answer is cut off', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le')],
    ['the body is cut off', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":')],
    [
      'a chunked body is cut off',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
    ],
    [
      'the body drips',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
        const drip = setInterval(() => socket.write(' '), 50);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    ['the body stalls', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":')],
  ])('if %s; the request is sent once', async (_what, react) => {
    const { url, requests } = await serve(react);
    expect((await faultOf(post(gateway(url)))).fault).toBe('no_answer');
    expect(requests).toHaveLength(1);
  });

  it('if a reused connection breaks during the request; the request is not sent again', async () => {
    const { url, requests, connections } = await serve((socket, nth) =>
      nth === 1 ? socket.write(json('{"first":true}')) : socket.destroy(),
    );
    const http = gateway(url);
    expect((await post(http)).body).toEqual({ first: true });
    await backInThePool();
    expect((await faultOf(post(http))).fault).toBe('no_answer');
    expect([requests.length, connections()]).toEqual([2, 1]);
  });

  it('if the caller gives up after it was sent', async () => {
    const abort = new AbortController();
    const { url } = await serve(() => abort.abort());
    expect((await faultOf(post(gateway(url, 60_000), { signal: abort.signal }))).fault).toBe('no_answer');
  });
});

describe('server_error: the server failed', () => {
  it.each([
    ['500', json('{"error":{"code":"x"}}', '500 Internal Server Error')],
    ['503', json('{}', '503 Service Unavailable')],
    ['429', json('{}', '429 Too Many Requests')],
    ['a redirect', 'HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n'],
  ])('if the answer is %s', async (_what, answer) => {
    const { url, requests } = await serve((socket) => socket.write(answer));
    expect((await faultOf(post(gateway(url, 3000)))).fault).toBe('server_error');
    expect(requests).toHaveLength(1);
  });
});

describe('malformed: the answer is not valid', () => {
  it.each([
    ['not JSON', json('<html>tok_secret</html>')],
    ['an empty body', json('')],
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['too large', json(`"${'x'.repeat(300 * 1024)}"`)],
    ['a head that is too large', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(64 * 1024)}\r\n\r\n`],
    ['compressed', `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00`],
  ])('if the answer is %s', async (_what, answer) => {
    const { url, requests } = await serve((socket) => socket.write(answer));
    expect((await faultOf(post(gateway(url, 3000)))).fault).toBe('malformed');
    expect(requests).toHaveLength(1);
  });
});

describe('a call', () => {
  it('carries its key, its trace and its body', async () => {
    const { url, requests } = await serve((socket) => socket.write(json('{}')));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await post(gateway(`${url}/base/`), { traceparent });
    const request = requests[0] ?? '';
    expect(request).toMatch(/^POST \/base\/pay HTTP\/1\.1\r\n/);
    expect(request).toContain('idempotency-key: key-1\r\n');
    expect(request).toContain(`traceparent: ${traceparent}\r\n`);
    expect(request).toContain('{"token":"tok_secret","amount":1}');
  });

  it('returns a refusal as an answer', async () => {
    const { url } = await serve((socket) =>
      socket.write(json('{"error":{"code":"declined"}}', '402 Payment Required')),
    );
    expect(await post(gateway(url))).toEqual({ status: 402, body: { error: { code: 'declined' } } });
  });

  it('uses its own time-out if it has one', async () => {
    const { url } = await serve(() => undefined);
    const http = gateway(url, 60_000);
    const started = performance.now();
    await faultOf(post(http, { timeoutMs: 100 }));
    expect(performance.now() - started).toBeGreaterThan(95);
  });

  it('uses a new connection if the server has closed the idle one', async () => {
    const { url, requests, connections } = await serve((socket) => socket.end(json('{}')));
    const http = gateway(url);
    for (let n = 0; n < 20; n++) expect((await post(http)).status).toBe(200);
    expect([requests.length, connections()]).toEqual([20, 20]);
  });

  it('reuses its connection', async () => {
    const { url, connections } = await serve((socket) => socket.write(json('{}')));
    const http = gateway(url);
    for (let n = 0; n < 20; n++) await post(http).then(backInThePool);
    expect(connections()).toBe(1);
  });

  it('does not wait for hanging calls', async () => {
    const { url } = await serve((socket, nth) => nth > 100 && socket.write(json('{}')));
    const http = gateway(url, 5000);
    const hanging = Promise.allSettled(Array.from({ length: 100 }, () => post(http)));
    await expect.poll(() => post(http, { timeoutMs: 1000 }).then(({ status }) => status)).toBe(200);
    await http.close();
    await hanging;
  });
});
