import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { database } from './database.js';
import { post, type RawRequest, raw } from './raw.js';

const shop = sharedShop();
const sql = database();
afterAll(() => sql.end());

const card = '4242424242424242';
const spaced = '4242 4242 4242 4242';

async function mustRefuse(path: string, request: RawRequest): Promise<void> {
  const refused = await raw(path, request);
  expect([refused.status, refused.body.code]).toEqual([422, 'card_data_forbidden']);
  const everything = refused.text + [...refused.headers].flat().join('\n');
  expect(everything.replace(/[ -]/g, '')).not.toContain(card);
}

const sending = (body: string) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body });

describe('a card number is refused and not repeated', () => {
  test.each([
    ['in a string', JSON.stringify({ customer: { name: `pay with ${spaced}` } })],
    ['in a string deep down', JSON.stringify({ a: [{ b: [{ c: card }] }] })],
    ['in the name of a field', JSON.stringify({ [card]: 1 })],
    ['as a number', `{"a":${card}}`],
    ['as a number in another notation', '{"a":4.242424242424242e15}'],
    ['behind an escape', '{"a":"4242\\u003424242424242"}'],
    ['as a card token', JSON.stringify({ payment: { cardToken: `tok_${card}` } })],
    ['in a body that is not JSON', `card=${card}`],
    ['separated by no-break spaces', JSON.stringify({ reason: spaced.replaceAll(' ', '\u00a0') })],
    ['separated by escaped no-break spaces', `{"reason":"${spaced.replaceAll(' ', '\\u00a0')}"}`],
    ['separated by tabs', JSON.stringify({ reason: spaced.replaceAll(' ', '\t') })],
    ['in full-width digits', JSON.stringify({ reason: '４２４２４２４２４２４２４２４２' })],
    ['after the prefix of an id', JSON.stringify({ reference: `rfd_${card.padStart(32, '0')}` })],
    ['in a URL with line breaks', JSON.stringify({ url: 'http://x.example/42424\n24242\n424242' })],
  ])('%s of a body', async (_name, body) => {
    await mustRefuse('/api/orders', sending(body));
  });

  test('in a path, plain and encoded', async () => {
    await mustRefuse(`/api/products/${card}`, {});
    await mustRefuse(`/api/products/${encodeURIComponent(spaced)}`, {});
    await mustRefuse(`/api/products/%34${card.slice(1)}`, {});
    await mustRefuse(`/api/products/${card}%ZZ`, {});
  });

  test('in a query, plain and encoded', async () => {
    await mustRefuse(`/api/orders?customerId=${card}`, {});
    await mustRefuse(`/api/orders?customerId=4242+4242+4242+4242`, {});
  });

  test('in a header, including the request id and the Idempotency-Key', async () => {
    for (const name of ['x-request-id', 'idempotency-key', 'x-anything', 'user-agent'])
      await mustRefuse('/api/products', { headers: { [name]: card } });
  });

  test('before anything but the API key is checked: 401 without a key, 422 even on an unknown path', async () => {
    await mustRefuse(`/nowhere/${card}`, { key: null });
    await mustRefuse(`/api/nowhere/${card}`, {});
    for (const request of [sending(JSON.stringify({ note: card })), { headers: { 'x-anything': card } }]) {
      const refused = await raw('/api/orders', { ...request, key: null });
      expect([refused.status, refused.body.code]).toEqual([401, 'unauthorized']);
    }
    const refused = await raw(`/api/products/${card}`, { key: null });
    expect([refused.status, refused.text.includes(card)]).toEqual([401, false]);
  });

  test('and nothing of the request is stored', async () => {
    const key = randomUUID();
    const name = `Card ${card}`;
    await mustRefuse('/api/products', {
      ...sending(JSON.stringify({ sku: 'CARD', name, price: { amount: 1, currency: 'USD' } })),
      headers: { 'idempotency-key': key },
    });
    const [row] = await sql`select count(*)::int as count from idempotency_keys where key = ${key}`;
    expect(row?.count).toBe(0);
    expect((await shop.get('/api/products/CARD')).status).toBe(404);
  });
});

describe('a number that only resembles a card number passes', () => {
  test.each([
    ['a number that fails the check', '4242424242424241'],
    ['20 digits', `${card}0000`],
    ['a UUID', 'abcdef42-4242-4242-8242-424242424242'],
    ['an id of ours', `ord_a${card}${'b'.repeat(15)}`],
    ['an EAN', '4000926247103'],
    ['a date and more', '20261127123456789'],
  ])('%s', async (_name, reference) => {
    const sku = await shop.product(0);
    const received = await post(`/api/inventory/${sku}/receipts`, { quantity: 1, reference });
    expect(received.status).toBe(201);
    expect(received.body.reference).toBe(reference);
  });

  test('in tracing headers that the API does not read', async () => {
    const headers = {
      'x-datadog-trace-id': card,
      'X-Datadog-Parent-Id': card,
      'x-cloud-trace-context': `105445aa7843bc8bf206b12000100000/${card};o=1`,
      'x-amzn-trace-id': 'Root=1-42424242-4242424242424242aaaaaaaa',
    };
    expect((await raw('/livez', { headers })).status).toBe(200);
    await mustRefuse('/livez', { headers: { ...headers, 'idempotency-key': card } });
  });

  test('in a thousand requests with random UUIDs as keys and random traces', async () => {
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => {
          const trace = randomUUID().replaceAll('-', '');
          const headers = { 'x-request-id': randomUUID(), traceparent: `00-${trace}-${trace.slice(16)}-01` };
          return raw('/livez', { headers });
        }),
      );
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    }
  });
});
