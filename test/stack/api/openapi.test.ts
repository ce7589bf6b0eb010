import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { problem } from '../../../api/http/schemas.js';
import { inventory, inventoryPage, movement, movementPage } from '../../../api/inventory/schemas.js';
import { apiKey, keyPage, shownKey } from '../../../api/keys/schemas.js';
import { location, locationPage } from '../../../api/locations/schemas.js';
import { order, orderPage, timeline } from '../../../api/orders/schemas.js';
import { paymentPage } from '../../../api/payments/schemas.js';
import { product, productPage } from '../../../api/products/schemas.js';
import { reservation } from '../../../api/reservations/schemas.js';
import { reviewPage } from '../../../api/reviews/schemas.js';
import { payment } from '../../../api/shapes/payment.js';
import { sharedShop } from '../../shared.js';
import type { Answer } from '../../shop.js';
import { raw } from './raw.js';

const shop = sharedShop();

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { security: object[]; responses: Record<string, object> }>>;
}
const document = async (): Promise<Document> => (await raw('/openapi.json', { key: null })).body;

/** Fails unless the value fits the schema and has no unknown member. */
function mustFit(schema: z.ZodType, { body }: Answer): void {
  const parsed = schema.safeParse(body);
  expect(parsed.error?.issues ?? []).toEqual([]);
  expect(body).toEqual(parsed.data);
}

describe('the document', () => {
  test('describes only paths that exist, and their answers have the documented statuses', async () => {
    const { openapi, paths } = await document();
    expect(openapi).toBe('3.1.0');
    for (const [path, operations] of Object.entries(paths))
      for (const [method, operation] of Object.entries(operations)) {
        const filled = path.replace(/\{id\}/, 'ord_none').replace(/\{sku\}/, 'NOT-THERE');
        const isPost = method === 'post' || method === 'patch';
        const sent = { headers: { 'content-type': 'application/json' }, body: '{"nonsense":1}' };
        const answer = await raw(filled, { method: method.toUpperCase(), ...(isPost && sent) });
        const told = Object.keys(operation.responses);
        expect([method, path, answer.body?.detail]).not.toContain('no such path');
        expect(told, `${method} ${path}`).toContain(String(answer.status));
        const closed = await raw(filled, { method: method.toUpperCase(), key: null });
        expect([method, path, closed.status]).toEqual([method, path, operation.security.length ? 401 : answer.status]);
      }
  });

  test('is shown on a page that fetches nothing from other hosts', async () => {
    const page = await raw('/docs', { key: null });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect((await raw('/', { key: null })).text).toBe(page.text);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part ?? '');
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) {
      expect(part).toMatch(/^\/docs\//);
      expect([part, (await raw(part, { key: null })).status]).toEqual([part, 200]);
    }
  });
});

test('every answer matches the document', async () => {
  const sku = `O-${randomUUID().slice(0, 8)}`;
  const price = { amount: 700, currency: 'USD' };
  mustFit(product, await shop.must(201, shop.post('/api/products', { sku, name: 'x', price })));
  mustFit(product, await shop.must(200, shop.get(`/api/products/${sku}`)));
  mustFit(productPage, await shop.must(200, shop.get('/api/products?limit=1')));
  mustFit(location, await shop.must(201, shop.post('/api/locations', { code: sku, name: 'x' })));
  mustFit(locationPage, await shop.must(200, shop.get('/api/locations')));
  mustFit(movement, await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 9 })));
  mustFit(movement, await shop.must(201, shop.post(`/api/inventory/${sku}/adjustments`, { delta: -1, reason: 'x' })));
  const held = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 1 }));
  mustFit(reservation, held);
  mustFit(reservation, await shop.must(200, shop.post(`/api/reservations/${held.body.id}/cancel`)));
  mustFit(inventory, await shop.must(200, shop.get(`/api/inventory/${sku}`)));
  mustFit(inventoryPage, await shop.must(200, shop.get('/api/inventory?limit=2')));
  mustFit(movementPage, await shop.must(200, shop.get(`/api/inventory/${sku}/movements`)));

  const lines = [{ sku, quantity: 1 }];
  const paid = await shop.must(201, shop.order({ lines, confirm: true, payment: { cardToken: 'tok_visa' } }));
  mustFit(order, paid);
  expect(paid.headers.get('location')).toBe(`/api/orders/${paid.body.id}`);
  mustFit(order, await shop.must(202, shop.post('/api/orders', { lines }, { prefer: 'respond-async' })));
  mustFit(order, await shop.must(200, shop.get(`/api/orders/${paid.body.id}`)));
  mustFit(orderPage, await shop.must(200, shop.get('/api/orders?limit=5')));
  mustFit(timeline, await shop.must(200, shop.get(`/api/orders/${paid.body.id}/timeline`)));
  const charged = await shop.must(
    201,
    shop.post('/api/payments', { amount: 5, currency: 'GBP', cardToken: 'tok_visa' }, { prefer: 'wait=30' }),
  );
  mustFit(payment, charged);
  mustFit(payment, await shop.must(200, shop.get(`/api/payments/${charged.body.id}`)));
  mustFit(paymentPage, await shop.must(200, shop.get('/api/payments?limit=5')));
  mustFit(reviewPage, await shop.must(200, shop.get('/api/reviews?limit=5')));

  const made = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: ['orders:read'] }));
  mustFit(shownKey, made);
  mustFit(keyPage, await shop.must(200, shop.get('/api/keys?limit=3')));
  mustFit(apiKey, await shop.must(200, shop.call('DELETE', `/api/keys/${made.body.id}`)));
  mustFit(problem, await shop.get('/api/products/NOT-THERE'));
  mustFit(problem, await shop.post('/api/products', { sku: '' }));
});

test('the open paths need no key', async () => {
  expect((await raw('/livez', { key: null })).body).toEqual({ status: 'alive' });
  expect((await raw('/readyz', { key: null })).body).toEqual({ status: 'ready', notReady: [] });
  await raw('/api/products/NOT-THERE');
  const figures = await raw('/metrics', { key: null });
  expect(figures.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(figures.text).toMatch(
    /^http_request_duration_seconds_count\{method="GET",route="\/api\/products\/:sku",status="404"\} [1-9]/m,
  );
  expect(figures.text).toContain('process_resident_memory_bytes');
});
