import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { call, pauseOf } from './client.js';

/** How a server answers one request. */
type Turn = (req: IncomingMessage, res: ServerResponse) => void;

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Turn =>
  (_, res) =>
    res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
const hangUp: Turn = (req) => req.socket.destroy();

interface Seen {
  readonly key: string | undefined;
  readonly prefer: string | undefined;
  readonly body: string;
  readonly at: number;
}

let server: Server | undefined;
afterEach(() => new Promise((done) => (server ? server.close(done) : done(undefined))));

/** A server that plays these turns in order and repeats the last one. */
async function serve(...turns: readonly Turn[]): Promise<{ apiUrl: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const take = async (req: IncomingMessage, res: ServerResponse) => {
    const body = await text(req);
    const turn = turns[Math.min(seen.length, turns.length - 1)];
    const key = req.headers['idempotency-key'];
    seen.push({ key: String(key), prefer: req.headers.prefer?.toString(), body, at: Date.now() });
    turn?.(req, res);
  };
  const listening = createServer((req, res) => void take(req, res));
  server = listening;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { apiUrl: `http://127.0.0.1:${address.port}`, seen };
}

describe('a Retry-After', () => {
  const now = Date.parse('2026-11-28T00:00:00Z');
  it.each([
    ['0', 0],
    ['37', 37_000],
    ['Sat, 28 Nov 2026 00:00:05 GMT', 5000],
    ['Fri, 27 Nov 2026 00:00:00 GMT', 0],
    ['soon', null],
    ['-1', null],
    [undefined, null],
  ])('of %j is a pause of %j ms', (retryAfter, pauseMs) => {
    expect(pauseOf(retryAfter, now)).toBe(pauseMs);
  });
});

const post = { method: 'POST', path: '/api/orders', body: { a: 1 }, idempotencyKey: 'key-1' } as const;
const short = { patienceSeconds: 1, unreachableSeconds: 0.5 };

describe('a call to the API', () => {
  it('is retried with the same key and body after a lost connection', async () => {
    const { apiUrl, seen } = await serve(hangUp, hangUp, answer(201, { id: 'ord_1' }));
    const told: string[] = [];
    const reply = await call({ apiUrl, apiKey: 'k' }, post, (why) => told.push(why));
    expect(reply).toMatchObject({ kind: 'answer', status: 201, text: '{"id":"ord_1"}' });
    expect(seen.map(({ key, body }) => ({ key, body }))).toEqual(Array(3).fill({ key: 'key-1', body: '{"a":1}' }));
    expect(told).toEqual(['the connection was lost']);
  });

  it('is retried after the Retry-After of a 503, not sooner', async () => {
    const unavailable = { code: 'unavailable', detail: 'down' };
    const { apiUrl, seen } = await serve(answer(503, unavailable, { 'Retry-After': '1' }), answer(200, {}));
    expect(await call({ apiUrl, apiKey: 'k' }, post)).toMatchObject({ kind: 'answer', status: 200 });
    expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it('is retried while the same request is in progress', async () => {
    const { apiUrl, seen } = await serve(
      answer(409, { code: 'request_in_progress', detail: 'wait' }),
      answer(201, { id: 'x' }),
    );
    expect(await call({ apiUrl, apiKey: 'k' }, post)).toMatchObject({ kind: 'answer', status: 201 });
    expect(seen).toHaveLength(2);
  });

  it.each([402, 404, 409, 422, 429, 500])('is not retried after a %i', async (status) => {
    const problem = { code: 'no', detail: 'no', extra: [1] };
    const { apiUrl, seen } = await serve(answer(status, problem));
    expect(await call({ apiUrl, apiKey: 'k' }, post)).toMatchObject({ kind: 'problem', status, problem });
    expect(seen).toHaveLength(1);
  });

  it('ends with the last problem when its retry budget is used up', async () => {
    const { apiUrl, seen } = await serve(answer(503, { code: 'unavailable', detail: 'down' }));
    const reply = await call({ apiUrl, apiKey: 'k' }, { ...post, waitSeconds: 0 }, undefined, short);
    expect(reply).toMatchObject({ kind: 'problem', problem: { code: 'unavailable' } });
    // Pauses of 200 and 400 ms; a third pause would exceed the one second it has.
    expect([2, 3]).toContain(seen.length);
  });

  it('reports in one line which address nothing listens on', async () => {
    const { apiUrl } = await serve(hangUp);
    await new Promise((done) => server?.close(done));
    server = undefined;
    const reply = await call({ apiUrl, apiKey: 'k' }, post, undefined, short);
    expect(reply).toEqual({ kind: 'unreachable', detail: `cannot reach the API at ${apiUrl} (ECONNREFUSED)` });
  });

  it('asks the API to wait as long as the caller says', async () => {
    const { apiUrl, seen } = await serve(answer(200, {}));
    for (const waitSeconds of [undefined, 0, 5]) await call({ apiUrl, apiKey: 'k' }, { ...post, waitSeconds });
    expect(seen.map(({ prefer }) => prefer)).toEqual([undefined, 'respond-async', 'wait=5']);
  });

  it('reports an answer that is not a problem document by its status', async () => {
    const { apiUrl } = await serve((_, res) => res.writeHead(502).end('<html>Bad Gateway</html>'));
    expect(await call({ apiUrl, apiKey: 'k' }, post)).toMatchObject({ kind: 'problem', problem: { code: 'http_502' } });
  });
});
