import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newApiKey } from '../../../db/access/api-keys.js';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { post, raw } from './raw.js';

const shop = sharedShop();
const product = () => ({ sku: `G-${randomUUID().slice(0, 8)}`, name: 'Thing', price: { amount: 5, currency: 'USD' } });

async function keyWith(...scopes: string[]): Promise<string> {
  return (await shop.must(201, shop.post('/api/keys', { name: 'test', scopes }))).body.key;
}

describe('authentication', () => {
  test.each([
    ['no key', null, {}],
    ['an unknown key', newApiKey('test').key, {}],
    ['a mistyped key', `${newApiKey('test').key.slice(0, -1)}x`, {}],
    ['another scheme', null, { authorization: 'Basic abc' }],
  ])('%s is 401 with WWW-Authenticate', async (_name, key, headers) => {
    const refused = await raw('/api/products', { key, headers });
    expect(refused.status).toBe(401);
    expect(refused.body.code).toBe('unauthorized');
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer realm="holdfast"/);
  });

  test('a key reaches what its scopes say, and no more', async () => {
    const key = await keyWith('inventory:read');
    expect((await raw('/api/products', { key })).status).toBe(200);
    for (const refused of [
      await post('/api/products', product(), { key }),
      await raw('/api/orders', { key }),
      await raw('/api/payments', { key }),
      await raw('/api/keys', { key }),
      await raw('/api/ledger/verifications', { key }),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    }
  });
});

describe('bad input gets', () => {
  test('a problem document with a stable code and its request id', async () => {
    const refused = await raw('/api/products/NOT-THERE');
    expect(refused.status).toBe(404);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(refused.body).toEqual({
      type: expect.stringMatching(/^urn:holdfast:problem:not_found$/),
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: expect.any(String),
      instance: '/api/products/NOT-THERE',
      requestId: refused.headers.get('x-request-id'),
    });
  });

  test.each(['{"sku":', 'sku=1', '\u{feff}nonsense', new Uint8Array([0x22, 0xff, 0xfe, 0x22])])(
    'a body that is not JSON is 400 and is not repeated (%#)',
    async (body) => {
      const headers = { 'content-type': 'application/json' };
      const refused = await raw('/api/products', { method: 'POST', headers, body });
      expect([refused.status, refused.body.code]).toEqual([400, 'malformed_json']);
      expect(refused.text).not.toContain('sku');
    },
  );

  test('unknown, missing and wrong fields are each named by a pointer, and nothing is written', async () => {
    const { sku } = product();
    const refused = await post('/api/products', {
      sku,
      price: { amount: 1.5, currency: 'XXX', tax: 1 },
      color: 'red',
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'validation_failed']);
    const pointers = refused.body.errors.map((error: { pointer: string }) => error.pointer).sort();
    expect(pointers).toEqual(['/color', '/name', '/price/amount', '/price/currency', '/price/tax']);
    expect((await shop.get(`/api/products/${sku}`)).status).toBe(404);
  });

  test('unknown and wrong query parameters are 422', async () => {
    for (const query of ['?limit=0', '?limit=201', '?limit=x', '?limit=1&limit=2', '?cursor=x', '?color=red'])
      expect([query, (await raw(`/api/products${query}`)).status]).toEqual([query, 422]);
  });

  test('a body over 256 KiB is 413', async () => {
    const refused = await post('/api/products', { name: 'x'.repeat(256 * 1024) });
    expect([refused.status, refused.body.code]).toEqual([413, 'too_large']);
    const fits = await post('/api/products', { name: 'x'.repeat(255 * 1024) });
    expect(fits.status).toBe(422);
  });

  test('unknown paths are 404, including those that differ by case or a trailing slash', async () => {
    for (const path of [
      '/api/nothing',
      '/API/products',
      '/api/Products',
      '/api/products/',
      '/api//products',
      '/livez/',
      '/Docs',
      '/api/products/-bad-',
      '/api/orders/x',
      '/api/orders/%ZZ',
      '/api/reservations/rsv_',
    ])
      expect([path, (await raw(path)).body.code]).toEqual([path, 'not_found']);
  });

  test.each([
    ['DELETE', '/api/products', 'GET, HEAD, OPTIONS, POST'],
    ['POST', '/api/products/T', 'GET, HEAD, OPTIONS, PATCH'],
    ['GET', '/api/inventory/batch', 'OPTIONS, POST'],
    ['HEAD', '/api/inventory/bulk', 'OPTIONS, POST'],
    ['PUT', '/api/inventory/operations', 'OPTIONS, POST'],
    ['GET', '/api/reservations/expire', 'OPTIONS, POST'],
    ['GET', '/api/orders/x/confirm', 'OPTIONS, POST'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
    ['POST', '/livez', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/openapi.json', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/docs', 'GET, HEAD, OPTIONS'],
  ])('%s %s is 405, and Allow is %s', async (method, path, allow) => {
    const refused = await raw(path, { method });
    expect([refused.status, refused.headers.get('allow')?.split(', ').sort().join(', ')]).toEqual([405, allow]);
    if (method !== 'HEAD') expect(refused.body.code).toBe('method_not_allowed');
    const asked = await raw(path, { method: 'OPTIONS' });
    expect([asked.status, asked.headers.get('allow'), asked.text]).toEqual([204, refused.headers.get('allow'), '']);
  });

  test("HEAD has GET's answer without the body", async () => {
    const [head, get] = [await raw('/api/products?limit=1', { method: 'HEAD' }), await raw('/api/products?limit=1')];
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
  });

  test.each([
    ['of another type', { 'content-type': 'text/plain' }],
    ["of a form, which is curl's default", { 'content-type': 'application/x-www-form-urlencoded' }],
    ['in another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['in a content coding', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ])('a body %s is 415, and nothing is written', async (_name, headers) => {
    const wanted = product();
    const refused = await raw('/api/products', { method: 'POST', headers, body: JSON.stringify(wanted) });
    expect([refused.status, refused.body.code]).toEqual([415, 'unsupported_media_type']);
    expect([refused.headers.get('accept'), refused.headers.get('accept-encoding')]).toEqual([
      'application/json',
      'identity',
    ]);
    expect((await shop.get(`/api/products/${wanted.sku}`)).status).toBe(404);
  });

  test('a body without a content type, or with a JSON type, is read', async () => {
    const bytes = (wanted: object) => new TextEncoder().encode(JSON.stringify(wanted));
    expect((await raw('/api/products', { method: 'POST', body: bytes(product()) })).status).toBe(201);
    const typed = await post('/api/products', product(), { headers: { 'content-type': 'application/vnd.x+json' } });
    expect(typed.status).toBe(201);
  });

  test('a client that accepts no JSON gets 406 as a problem document, and nothing is written', async () => {
    const wanted = product();
    const refused = await post('/api/products', wanted, { headers: { accept: 'text/html' } });
    expect([refused.status, refused.body.code]).toEqual([406, 'not_acceptable']);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect((await shop.get(`/api/products/${wanted.sku}`)).status).toBe(404);
    for (const accept of ['*/*', 'text/html, application/*;q=0.1', 'application/json; charset=utf-8'])
      expect([accept, (await raw('/api/products?limit=1', { headers: { accept } })).status]).toEqual([accept, 200]);
  });

  test('no cache may store an answer or a problem', async () => {
    for (const [path, request] of [
      ['/api/orders?limit=1', {}],
      ['/api/orders', { key: null }],
      ['/api/nothing', {}],
      ['/api/orders', { method: 'DELETE' }],
      ['/nothing', {}],
      ['/livez', {}],
    ] as const)
      expect([path, (await raw(path, request)).headers.get('cache-control')]).toEqual([path, 'no-store']);
    expect((await raw('/docs/swagger-ui.css')).headers.get('cache-control')).toBe('public, max-age=3600');
  });

  test('characters that Postgres cannot store are 422, not 500', async () => {
    for (const name of ['a\0b', 'a\ud800b'])
      expect((await post('/api/products', { ...product(), name })).body.code).toBe('validation_failed');
    expect((await raw('/api/orders?customerId=%00')).status).toBe(422);
    expect((await raw('/api/products/%00')).status).toBe(404);
  });
});

describe('a request can be traced', () => {
  test('its id is taken over or generated, and returned', async () => {
    const id = `my-request-${randomUUID()}`;
    expect((await raw('/api/products', { headers: { 'x-request-id': id } })).headers.get('x-request-id')).toBe(id);
    expect((await raw('/api/products')).headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    const refused = await raw('/api/nothing', { headers: { 'x-request-id': id } });
    expect(refused.body.requestId).toBe(id);
    const unfit = await raw('/api/products', { headers: { 'x-request-id': '<script>' } });
    expect(unfit.headers.get('x-request-id')).toMatch(/^req_/);
  });

  test("its trace continues in the order's timeline and the workflow's memo", async () => {
    const traceId = randomBytes(16).toString('hex');
    const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
    const { body } = await shop.must(201, shop.post('/api/orders', {}, { traceparent }));
    const timeline = (await shop.must(200, shop.get(`/api/orders/${body.id}/timeline`))).body.items;
    expect(timeline.length).toBeGreaterThan(0);
    for (const entry of timeline) expect(entry.traceId).toBe(traceId);
    const { memo } = await (await temporal()).workflow.getHandle(`order/${body.id}`).describe();
    expect(memo?.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    await shop.must(200, shop.post(`/api/orders/${body.id}/cancel`, { reason: 'test' }));
  });
});

describe('lists', () => {
  test('come newest first, in pages that neither skip nor repeat while rows are added', async () => {
    const skus: string[] = [];
    for (let count = 0; count < 5; count++) skus.push(await shop.product(0));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await shop.must(200, shop.get(`/api/products?limit=2${query}`));
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((item: { sku: string }) => item.sku));
      cursor = body.nextCursor;
      await shop.product(0);
    } while (cursor !== null && !skus.every((sku) => seen.includes(sku)));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((sku) => skus.includes(sku))).toEqual(skus.toReversed());
  });
});

describe('Prefer', () => {
  test('respond-async gets 202 with the current order, which continues by itself', async () => {
    const sku = await shop.product(3);
    const started = await shop.post('/api/orders', { lines: [{ sku, quantity: 2 }] }, { prefer: 'respond-async' });
    expect(started.status).toBe(202);
    expect(started.headers.get('preference-applied')).toBe('respond-async');
    expect(started.headers.get('location')).toBe(`/api/orders/${started.body.id}`);
    expect(['pending', 'reserved']).toContain(started.body.status);
    expect(started.body.lines).toMatchObject([{ sku, quantity: 2, unitPrice: { amount: 1000, currency: 'USD' } }]);
    expect((await shop.get(`/api/orders/${started.body.id}`)).status).toBe(200);
    await eventually('the order to be reserved', async () => (await shop.statusOf(started.body.id)) === 'reserved');
  });
});

test('an idle key may send a burst of 500 requests, and each answer says how many are left', async () => {
  const key = await keyWith('inventory:read');
  const answers = await Promise.all(Array.from({ length: 500 }, () => raw('/api/products?limit=1', { key })));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  for (const { headers } of answers) {
    expect(headers.get('ratelimit-policy')).toMatch(/^"default";q=\d+;w=60$/);
    expect(headers.get('ratelimit')).toMatch(/^"default";r=\d+;t=\d+$/);
  }
});
