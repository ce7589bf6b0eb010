/** Suppliers whose answers try to break us: none of it is stored or shown, and nothing is retried forever. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { type HostileSupplier, hostileSupplier, type SupplierAnswer } from './hostile-supplier.js';

const shop = sharedShop();
const connection = connect(inject('databaseUrl'), { applicationName: 'hostile suppliers', maxConnections: 1 });
const suppliers: HostileSupplier[] = [];
afterAll(async () => {
  await connection.close();
  for (const supplier of suppliers) supplier.close();
});

/** A product without stock, and its supplier at its own address. */
async function supplied(answers: HostileSupplier['answers']): Promise<{ sku: string; supplier: HostileSupplier }> {
  const supplier = await hostileSupplier(answers);
  suppliers.push(supplier);
  return { sku: await productOf(supplier.url), supplier };
}

async function productOf(url: string): Promise<string> {
  const fields = { name: 'Hostile', active: true, minOrderQuantity: 1, maxOrderQuantity: 1000, url };
  const { body } = await shop.must(201, shop.post('/api/suppliers', fields));
  expect(body.url).toBe(url);
  const sku = `H-${randomUUID().slice(0, 13)}`;
  const price = { amount: 100, currency: 'USD' };
  const product = { sku, name: 'Test', price, supplierId: body.id, supplierPrice: price, maxStock: 20 };
  await shop.must(201, shop.post('/api/products', product));
  return sku;
}

const order = (sku: string, customer?: string) =>
  shop.order({ lines: [{ sku, quantity: 5 }], ...(customer && { customer: { id: customer } }) });
const openReviews = async (subject: string) => {
  const { body } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
  return body.items.filter((item: { subject: string }) => item.subject === subject);
};

const secret = 'the-text-of-the-answer';
const ref = (value: unknown): SupplierAnswer => ({ status: 201, json: { accepted: true, ref: value, note: secret } });
const drip = (res: ServerResponse) => {
  res.writeHead(201, { 'content-type': 'application/json' }).write('{');
  const timer = setInterval(() => res.write(' '), 100);
  res.on('close', () => clearInterval(timer));
};

describe('an order whose supplier answers the reservation with', () => {
  test.concurrent.each<[string, SupplierAnswer, string]>([
    ['a reference of 3 MB', ref('x'.repeat(3_000_000)), 'cannot be understood'],
    ['a reference of 129 characters', ref('x'.repeat(129)), 'cannot be understood'],
    ['a reference with NUL', ref('a\0b'), 'cannot be understood'],
    ['a reference with half a character', ref('\ud800'), 'cannot be understood'],
    ['a card number as its reference', ref('4111111111111111'), 'cannot be understood'],
    ['a number as its reference', ref(12), 'cannot be understood'],
    ['a deep nest', (res) => res.writeHead(201).end('['.repeat(200_000)), 'cannot be understood'],
    ['a nest for a reference', (res) => res.writeHead(201).end(nest(50_000)), 'cannot be understood'],
    ['text instead of yes', { status: 201, json: { accepted: 'true', ref: 'x' } }, 'cannot be understood'],
    ['a text of 200 KB', { status: 422, json: { error: { code: 'no', detail: 'x'.repeat(200_000) } } }, 'understood'],
    ['an error of its own', { status: 500, json: { error: { code: 'x', detail: secret } } }, 'with an error'],
    ['a redirect', (res) => res.writeHead(302, { location: 'http://169.254.169.254/' }).end(secret), 'with an error'],
    ['a drip', drip, 'no answer in time'],
  ])('%s fails, shows nothing of the answer, and leaves nothing open', async (_what, answer, failure) => {
    const { sku, supplier } = await supplied({ reserve: answer });
    const customer = randomUUID();
    const { status, body } = await order(sku, customer);
    expect([status, body.code]).toEqual([409, 'insufficient_stock']);
    const found = (await shop.must(200, shop.get(`/api/orders/${body.orderId}`))).body;
    expect(found).toMatchObject({
      status: 'failed',
      supplierReference: null,
      failure: { code: 'supplier_unavailable', detail: expect.stringContaining(failure) },
    });
    const list = (await shop.must(200, shop.get(`/api/orders?customerId=${customer}`))).body;
    const timeline = (await shop.must(200, shop.get(`/api/orders/${body.orderId}/timeline`))).body;
    const shown = JSON.stringify([body, list, timeline]);
    expect(shown.length).toBeLessThan(5000);
    expect(shown).not.toContain(secret);
    // The outcome is unknown, so each retry looks the key up first, and in the end cancels by key.
    expect(supplier.calls).toEqual([
      'reserve',
      ...['find_reservation', 'reserve'],
      ...['find_reservation', 'reserve'],
      'cancel_reservation',
    ]);
    expect(await openReviews(`order/${body.orderId}`)).toEqual([]);
  });
});

test('an ok with 3 MB does not restock an order, which can be cancelled before and after', async () => {
  const ok = { json: { status: 'ok', more: 'x'.repeat(3_000_000) } };
  const { sku } = await supplied({ status: ok });
  const { body } = await shop.must(201, order(sku));
  await eventually('the order to fail', async () => (await shop.statusOf(body.id)) === 'failed');
  expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  const { sku: other, supplier } = await supplied({ status: (res) => drip(res) });
  const waiting = (await shop.must(201, order(other))).body;
  await eventually('the supplier to be asked', async () => supplier.calls.includes('status'));
  expect((await shop.must(200, shop.cancel(waiting.id))).body.status).toBe('cancelled');
});

test('a cancellation that gets a nonsense answer goes to review with a short reason, and succeeds later', async () => {
  const nonsense = { status: 400, json: { error: { code: 'x', detail: `${secret}\0`.repeat(5000) } } };
  const { sku, supplier } = await supplied({ cancel_reservation: nonsense });
  const { body } = await shop.must(201, order(sku));
  const cancelling = await shop.post(`/api/orders/${body.id}/cancel`, { reason: 'late' }, { prefer: 'wait=1' });
  expect(cancelling.status).toBe(202);
  const [review] = await eventually('the review', async () => {
    const found = await openReviews(`order/${body.id}`);
    return found.length > 0 && found;
  });
  expect(review.kind).toBe('compensation_failed');
  expect(review.lastError.length).toBeLessThan(300);
  supplier.answers = {};
  await eventually('the order to be cancelled', async () => (await shop.statusOf(body.id)) === 'cancelled');
  expect(await openReviews(`order/${body.id}`)).toEqual([]);
});

describe('a replenishment whose supplier answers with', () => {
  test.concurrent.each<[string, HostileSupplier['answers']]>([
    ['an order id of 3 MB', { order: { status: 201, json: { id: 'x'.repeat(3_000_000), status: 'ordered' } } }],
    ['an order id with NUL', { order: { status: 201, json: { id: `${secret}\0`, status: 'ordered' } } }],
    ['an error with a lot of text', { order: { status: 400, json: { error: { code: secret, detail: secret } } } }],
    ['more than is available', { availability: { json: { available: true, quantity: 1e308 } } }],
    ['less than nothing', { availability: { json: { available: true, quantity: -1 } } }],
  ])('%s fails without quoting it, and leaves no order open', async (_what, answers) => {
    const { sku, supplier } = await supplied(answers);
    const { body } = await shop.must(202, shop.post('/api/replenishments', { sku }));
    const ended = await eventually('its end', async () => {
      const found = (await shop.must(200, shop.get(`/api/replenishments/${body.id}`))).body;
      return found.status !== 'running' && found;
    });
    expect(ended).toMatchObject({ status: 'failed', purchaseOrderId: null, failure: { code: 'supplier_unavailable' } });
    expect(ended.failure.detail).toMatch(/the supplier (gave an answer that cannot be|answered with an error)/);
    expect(JSON.stringify(ended)).not.toContain(secret);
    if (answers.order !== undefined) expect(supplier.calls.at(-1)).toBe('cancel_order');
    const [review] = await openReviews(`replenishment/${sku}/main`);
    expect(review).toMatchObject({ kind: 'replenishment_failed', attempts: 3 });
    expect(JSON.stringify(review).length).toBeLessThan(2000);
    await shop.must(200, shop.post(`/api/reviews/${review.id}/resolve`, { resolution: 'done', note: 'seen' }));
  });
});

test('a supplier on our own network, stored before addresses were checked, is never called', async () => {
  const { sku, supplier } = await supplied({});
  // The same server, under an address that GATEWAY_ALLOW_HOSTS does not list.
  const url = supplier.url.replace('127.0.0.1', '[::ffff:127.0.0.1]');
  const refused = await shop.post('/api/suppliers', {
    name: 'X',
    active: true,
    minOrderQuantity: 1,
    maxOrderQuantity: 1,
    url,
  });
  expect(refused).toMatchObject({ status: 422, body: { code: 'validation_failed', errors: [{ pointer: '/url' }] } });
  await connection.sql`update suppliers set url = ${url} where url = ${supplier.url}`;
  const opening = await shop.post('/api/orders', { lines: [{ sku, quantity: 5 }] }, { prefer: 'wait=1' });
  const [review] = await eventually('the review', async () => {
    const found = await openReviews(`order/${opening.body.id}`);
    return found.length > 0 && found;
  });
  // Operators see what clients do not.
  expect(review.lastError).toContain('leads to an address that may not be called');
  await shop.must(200, shop.post(`/api/reviews/${review.id}/resolve`, { resolution: 'done', note: 'nothing there' }));
  await eventually('the order to fail', async () => (await shop.statusOf(opening.body.id)) === 'failed');
  const { failure } = (await shop.must(200, shop.get(`/api/orders/${opening.body.id}`))).body;
  expect(failure.code).toBe('supplier_unavailable');
  expect(failure.detail).toMatch(/^supplier \S+ could not be reached \(5 of \S+\)$/);
  expect(supplier.calls).toEqual([]);
});

/** `{"accepted":true,"ref":[[[…]]]}` */
function nest(depth: number): string {
  return `{"accepted":true,"ref":${'['.repeat(depth)}${']'.repeat(depth)}}`;
}
