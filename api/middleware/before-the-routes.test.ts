/** What is checked before a request reaches its route: its connection, its key, its size. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newApiKey } from '../../db/access/api-keys.js';
import { type LoneApi, startLoneApi } from '../../test/lone-api.js';

const card = '4242424242424242';
const started: LoneApi[] = [];
let api: LoneApi;
beforeAll(async () => {
  api = await start();
});
afterAll(async () => {
  for (const each of started) await each.close();
});

async function start(env: Record<string, string> = {}): Promise<LoneApi> {
  const api = await startLoneApi(env);
  started.push(api);
  return api;
}

interface Answered {
  readonly status: number;
  readonly head: string;
  readonly body: Record<string, unknown>;
}

/** The first answer that came back over a connection. */
function firstAnswer(text: string): Answered {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(body.slice(0, length)) };
}

const head = (line: string, ...headers: readonly string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;

describe('a request that Node refuses by itself gets a problem document', () => {
  test.each([
    ['is not HTTP', ['nonsense\r\n\r\n'], 400, 'malformed_json'],
    ['has two lengths', [head('POST /api/orders', 'Content-Length: 1', 'Content-Length: 2')], 400, 'malformed_json'],
    ['names no host', ['GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n'], 400, 'malformed_json'],
    ['has a head over 16 KiB', [head('GET /livez', `X-Long: ${'x'.repeat(20_000)}`)], 431, 'too_large'],
    ['expects something unknown', [head('POST /api/orders', 'Expect: 200-ok')], 417, 'validation_failed'],
    ['never ends', ['GET /livez HTTP/1.1\r\nHost: x\r\n'], 408, 'validation_failed'],
    [
      'breaks off in the middle of a chunk',
      [head('POST /nowhere', 'Transfer-Encoding: chunked'), 'zz\r\n'],
      400,
      'malformed_json',
    ],
  ])('a request that %s', async (_name, parts, status, code) => {
    const answer = firstAnswer(await api.exchange(...parts));
    expect(answer.status).toBe(status);
    expect(answer.head).toMatch(/content-type: application\/problem\+json/i);
    expect(answer.head).toMatch(/connection: close/i);
    const id = /x-request-id: (req_[0-9a-f]{32})/i.exec(answer.head)?.[1];
    expect(answer.body).toEqual({
      type: `urn:holdfast:problem:${code}`,
      title: expect.any(String),
      status,
      code,
      detail: expect.any(String),
      instance: `urn:holdfast:request:${id}`,
      requestId: id,
    });
  });
});

describe('the key is checked before anything else', () => {
  test('without one, the API does not wait for the body', async () => {
    // None of the body is sent: an API that waited for it would not answer.
    const answer = firstAnswer(await api.exchange(head('POST /api/orders', 'Content-Length: 200000')));
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  });

  test('a client that is still sending its body gets to read the answer', async () => {
    const body = Buffer.alloc(900_000, 0x20);
    const kept = head('POST /api/orders', `Content-Length: ${body.length}`).replace('Connection: close\r\n', '');
    const answers = await api.exchange(kept, body, head('GET /livez'));
    expect(firstAnswer(answers).status).toBe(401);
    // The rest of the body was discarded, and the connection used again.
    expect(answers).toContain('{"status":"alive"}');
  });

  test('a client that never stops sending is cut off', async () => {
    const endless = head('POST /api/orders', 'Transfer-Encoding: chunked').replace('Connection: close\r\n', '');
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
    const outcome = await api.exchange(endless, ...Array.from({ length: 400 }, () => chunk)).catch(() => 'cut off');
    if (outcome !== 'cut off') expect(firstAnswer(outcome).status).toBe(401);
  });

  test('without one, `100 Continue` is not sent', async () => {
    const answers = await api.exchange(
      head('POST /api/orders', 'Content-Length: 10', 'Expect: 100-continue').replace('Connection: close\r\n', ''),
    );
    expect(firstAnswer(answers).status).toBe(401);
    expect(answers).not.toContain('100 Continue');
  });

  test('a card number in the path is neither echoed nor logged with the 401', async () => {
    for (const path of [`/api/products/${card}`, '/api/products/4242%204242%204242%204242', `/api/orders?x=${card}`]) {
      const answers = await api.exchange(head(`GET ${path}`));
      expect(firstAnswer(answers).status).toBe(401);
      expect(firstAnswer(answers).body.instance).toMatch(/^urn:holdfast:request:/);
    }
    expect(api.log()).toContain('"status":401');
    // Four digits alone can stand in the id of a request.
    expect(api.log()).not.toMatch(/4242(%20|\s)?4242/);
  });

  test('unknown paths need none, but card numbers are refused there too', async () => {
    const send = async (request: string) => {
      const { status, body } = firstAnswer(await api.exchange(request));
      return [status, body.code];
    };
    expect(await send(head('GET /nowhere'))).toEqual([404, 'not_found']);
    expect(await send(head(`GET /nowhere/${card}`))).toEqual([422, 'card_data_forbidden']);
    expect(await send(head('POST /nowhere', 'Content-Length: 16') + card)).toEqual([422, 'card_data_forbidden']);
  });
});

describe('a caller without a valid key', () => {
  test('may send at most 16 KiB', async () => {
    const send = async (request: string) => {
      const { status, body } = firstAnswer(await api.exchange(request));
      return [status, body.code];
    };
    const size = 16 * 1024;
    expect(await send(head('POST /nowhere', `Content-Length: ${size}`) + ' '.repeat(size))).toEqual([404, 'not_found']);
    expect(await send(head('POST /nowhere', `Content-Length: ${size + 1}`))).toEqual([413, 'too_large']);
    const chunks = `${(size + 1).toString(16)}\r\n${' '.repeat(size + 1)}\r\n`;
    expect(await send(head('POST /nowhere', 'Transfer-Encoding: chunked') + chunks)).toEqual([413, 'too_large']);
  });

  test('gets 429 after its requests per minute, 401s included; probes do not count', async () => {
    const api = await start({ UNAUTHENTICATED_RATE_LIMIT_PER_MINUTE: '6' });
    const unknown = `Authorization: Bearer ${newApiKey('test').key.slice(0, -1)}`;
    const requests = [head('GET /api/orders'), head('GET /api/orders', unknown), head('GET /nowhere')];
    const statuses: number[] = [];
    for (let round = 0; round < 3; round++)
      for (const request of requests) statuses.push(firstAnswer(await api.exchange(request)).status);
    expect(statuses).toEqual([401, 401, 404, 401, 401, 404, 429, 429, 429]);

    // An unknown key is no longer looked up: Postgres is unavailable, and yet this is not a 503.
    const refused = firstAnswer(
      await api.exchange(head('GET /api/orders', `Authorization: Bearer ${newApiKey('test').key}`)),
    );
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    const seconds = Number(/retry-after: (\d+)/i.exec(refused.head)?.[1]);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.head).toMatch(new RegExp(`ratelimit: "address";r=0;t=${seconds}`, 'i'));
    expect(refused.head).toMatch(/ratelimit-policy: "address";q=6;w=60/i);

    for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json', '/docs'])
      expect([path, (await api.exchange(head(`GET ${path}`))).split(' ')[1]]).toEqual([path, '200']);
  });

  test('is identified by the address that a trusted proxy forwards, and by no other header', async () => {
    const from = (address: string) => head('GET /api/orders', `X-Forwarded-For: ${address}`);
    const statusesOf = async (api: LoneApi, addresses: readonly string[]) => {
      const statuses: number[] = [];
      for (const address of addresses) statuses.push(firstAnswer(await api.exchange(from(address))).status);
      return statuses;
    };
    const limit = { UNAUTHENTICATED_RATE_LIMIT_PER_MINUTE: '1' };
    const behind = await start({ ...limit, TRUSTED_PROXIES: 'loopback, 10.0.0.0/8' });
    expect(await statusesOf(behind, ['203.0.113.1', '203.0.113.2', '203.0.113.1'])).toEqual([401, 401, 429]);
    expect(await statusesOf(await start(limit), ['203.0.113.1', '203.0.113.2'])).toEqual([401, 429]);
  });
});
