import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { type OwnApi, runOwnApi, startOwnApi } from './own-api.js';

const shop = sharedShop();
const nowhere = '127.0.0.1:1';
/** For the tests that need no settings of their own. */
let api: OwnApi;
beforeAll(async () => {
  api = await startOwnApi({ LOG_LEVEL: 'trace' });
});
afterAll(() => api?.end('SIGKILL'));

const started: OwnApi[] = [];

async function start(env: Record<string, string>): Promise<OwnApi> {
  const other = await startOwnApi(env);
  started.push(other);
  return other;
}

afterEach(async () => {
  for (const other of started.splice(0)) await other.end('SIGKILL');
});

test('all wrong settings are named, and the process exits 2', async () => {
  const { code, output } = await runOwnApi({ API_PORT: '99999', RATE_LIMIT_PER_MINUTE: 'many', LOG_LEVEL: 'loud' });
  expect(code).toBe(2);
  for (const name of ['API_PORT', 'RATE_LIMIT_PER_MINUTE', 'LOG_LEVEL']) expect(output).toContain(name);
});

test('a misspelt setting is named in one warning, without its value', async () => {
  const api = await start({ RATE_LIMIT_PER_MINTUE: '7654321' });
  const warning = 'RATE_LIMIT_PER_MINTUE is no setting and has no effect: did you mean RATE_LIMIT_PER_MINUTE?';
  expect(api.output().split(warning)).toHaveLength(2);
  expect(api.output()).not.toContain('7654321');
});

test('a taken port gives one clear message and exit code 2', async () => {
  const { code, output } = await runOwnApi({ API_PORT: new URL(api.url).port, LOG_LEVEL: 'silent' });
  expect([code, output.trim()]).toEqual([2, `API_PORT ${new URL(api.url).port} is taken`]);
});

// On Linux all of 127.0.0.0/8 is this machine, so the test can try another of its addresses.
test.skipIf(process.platform !== 'linux')('it listens only on API_HOST, by default the loopback address', async () => {
  const at = ({ url }: OwnApi) => fetch(`http://127.0.0.2:${new URL(url).port}/livez`);
  await expect(at(api)).rejects.toThrow();
  expect((await at(await start({ API_HOST: '0.0.0.0' }))).status).toBe(200);
});

test("requests over a key's limit per minute are 429, and other keys are not affected", async () => {
  const limited = await start({ RATE_LIMIT_PER_MINUTE: '20' });
  const { key } = (await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: ['inventory:read'] }))).body;
  const ask = () => fetch(`${limited.url}/api/products?limit=1`, { headers: { authorization: `Bearer ${key}` } });
  const answers = await Promise.all(Array.from({ length: 25 }, ask));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  const [refused] = answers.filter(({ status }) => status === 429);
  const seconds = Number(refused?.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(refused?.headers.get('ratelimit')).toBe(`"default";r=0;t=${seconds}`);
  expect(refused?.headers.get('ratelimit-policy')).toBe('"default";q=20;w=60');
  expect(await refused?.json()).toMatchObject({ code: 'rate_limited', status: 429 });
  expect((await limited.shop.get('/api/products?limit=1')).status).toBe(200);
});

describe('while Temporal is away', () => {
  test('calls that need it get 503 with Retry-After and leave nothing half done; stock and reads still work', async () => {
    const cutOff = await start({ TEMPORAL_ADDRESS: nowhere });
    const sku = await shop.product(3);
    const customer = { id: `cus-${randomUUID().slice(0, 8)}` };
    const headers = { prefer: 'wait=1', 'idempotency-key': randomUUID() };
    const wanted = { customer, lines: [{ sku, quantity: 1 }] };
    const refused = await cutOff.shop.post('/api/orders', wanted, headers);
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    const payment = { amount: 1, currency: 'USD', cardToken: 'tok_visa' };
    expect((await cutOff.shop.post('/api/payments', payment, { prefer: 'wait=1' })).status).toBe(503);
    expect((await shop.get(`/api/orders?customerId=${customer.id}`)).body.items).toEqual([]);
    expect((await shop.stock(sku)).reserved).toBe(0);

    await cutOff.shop.must(201, cutOff.shop.post('/api/reservations', { sku, quantity: 1 }));
    expect((await cutOff.shop.get('/api/orders')).status).toBe(200);
    const ready = await fetch(`${cutOff.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'not_ready', notReady: ['temporal'] }]);
    expect((await fetch(`${cutOff.url}/livez`)).status).toBe(200);

    // The same call through a process that reaches Temporal succeeds.
    const made = await shop.must(201, shop.post('/api/orders', wanted, { ...headers, prefer: 'wait=30' }));
    expect(made.body.status).toBe('reserved');
  });
});

describe('while Postgres is away', () => {
  test('calls that need it get 503 with Retry-After, and the process stays alive', async () => {
    const cutOff = await start({ DATABASE_URL: `postgres://x:y@${nowhere}/none` });
    for (let round = 0; round < 3; round++) {
      const refused = await cutOff.shop.post('/api/products', {}, { 'idempotency-key': 'k' });
      expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
        503,
        'unavailable',
        '1',
      ]);
      expect(JSON.stringify(refused.body)).not.toMatch(/ECONN|postgres:|127\.0\.0\.1/i);
      await sleep(200);
    }
    const ready = await fetch(`${cutOff.url}/readyz`);
    expect([ready.status, ((await ready.json()) as { notReady: string[] }).notReady]).toEqual([503, ['postgres']]);
    expect((await fetch(`${cutOff.url}/livez`)).status).toBe(200);
  });
});

test('the log has one JSON line for each request, with ids and without personal data, tokens or keys', async () => {
  const sku = await shop.product(1);
  const requestId = `log-${randomUUID()}`;
  const secrets = ['Jane Roe', 'jane.roe@example.com', 'tok_visa_secret', '4242424242424242', 'cus-secret-1'];
  const customer = { id: 'cus-secret-1', name: 'Jane Roe', email: 'jane.roe@example.com' };
  const made = await api.shop.must(
    201,
    api.shop.post(
      '/api/orders',
      { customer, lines: [{ sku, quantity: 1 }], payment: { cardToken: 'tok_visa_secret' }, confirm: true },
      { 'x-request-id': requestId, prefer: 'wait=30' },
    ),
  );
  await api.shop.get('/api/orders?customerId=cus-secret-1');
  await api.shop.get('/api/products/4242424242424242');
  await api.shop.post('/api/orders', { customer: { email: 'jane.roe@example.com', more: 'Jane Roe' } });
  await api.shop.get('/nowhere/jane.roe@example.com');
  const { key } = (await api.shop.must(201, api.shop.post('/api/keys', { name: 'Jane Roe', scopes: ['admin'] }))).body;
  await fetch(`${api.url}/api/keys`, { headers: { authorization: `Bearer ${key}x` } });

  const lines = await eventually('the log to be written', async () => {
    const all = api
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return all.filter(({ msg }) => msg === 'request').length >= 8 && all;
  });
  const [line, ...others] = lines.filter((one) => one.requestId === requestId && one.msg === 'request');
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    method: 'POST',
    route: '/api/orders',
    status: 201,
    orderId: made.body.id,
    workflowId: `order/${made.body.id}`,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    apiKeyId: expect.stringMatching(/^key_/),
    ms: expect.any(Number),
  });
  for (const secret of [...secrets, key]) expect(api.output()).not.toContain(secret);
});

test('a process that a signal stops answers waiting clients at once, and their orders are still decided', async () => {
  const sku = await shop.product(1);
  const wanted = { lines: [{ sku, quantity: 1 }], payment: { cardToken: 'tok_slow_700' }, confirm: true };
  const asked = api.shop.post('/api/orders', wanted, { prefer: 'wait=30' });
  await eventually('the order to be on its way', async () => (await shop.stock(sku)).reserved === 1);
  expect(await api.end('SIGTERM')).toBe(0);
  const { status, body } = await asked;
  expect([status, body.status]).toEqual([202, 'confirming']);
  await eventually('the order to be confirmed', async () => (await shop.statusOf(body.id)) === 'confirmed');
});
