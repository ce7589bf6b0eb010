/** The audit log, through the API: what is done is reported with who asked for it, and without card data or personal data. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { newEmail } from '../../shop.js';
import { holdfast } from '../cli/holdfast.js';

const shop = sharedShop();

interface Entry {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly requestId: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

async function entriesOf(filters: Record<string, string>): Promise<Entry[]> {
  const { body } = await shop.must(200, shop.get(`/api/audit?${new URLSearchParams({ limit: '200', ...filters })}`));
  return body.items;
}

describe('the audit log reports', () => {
  test('each attempt at a payment and its decision, by the key and the request that asked for it', async () => {
    const requestId = `req-${randomUUID()}`;
    const email = newEmail();
    const asked = { amount: 1500, currency: 'USD', cardToken: 'tok_declined', backupCardToken: 'tok_visa' };
    const headers = { 'x-request-id': requestId, prefer: 'wait=30' };
    const more = { email, customerId: 'jane.roe@example.com', reference: 'for Jane Roe' };
    const { body: paid } = await shop.must(201, shop.post('/api/payments', { ...asked, ...more }, headers));
    const entries = await entriesOf({ subject: `payment/${paid.id}` });
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['payment.decided', 'captured'],
      ['payment.attempt', 'captured'],
      ['payment.attempt', 'declined'],
    ]);
    for (const entry of entries)
      expect(entry).toMatchObject({ requestId, actor: expect.stringMatching(/^api_key:key_/) });
    expect(entries[0]?.detail).toMatchObject({ amount: 1500, currency: 'USD', cardUsed: 'backup', gateway: 'sandbox' });
    expect(entries[2]?.detail).toMatchObject({ card: 'primary', code: 'generic_decline' });
    const kept = JSON.stringify(entries);
    for (const hidden of ['tok_', email, 'jane', 'Jane']) expect(kept).not.toContain(hidden);
  });

  test('the payment of an order and its refund', async () => {
    const sku = await shop.product(3);
    const requestId = `req-${randomUUID()}`;
    const order = { lines: [{ sku, quantity: 2 }], confirm: true, payment: { cardToken: 'tok_visa' } };
    const { body } = await shop.must(201, shop.order(order, { 'x-request-id': requestId }));
    const [decided] = await entriesOf({ subject: `payment/${body.payment.id}`, action: 'payment.decided' });
    expect(decided).toMatchObject({ outcome: 'captured', requestId, detail: { orderId: body.id, amount: 2000 } });
    const refunding = { lines: [{ sku, quantity: 1 }], reason: 'Jane Roe did not like it' };
    const path = `/api/orders/${body.id}/refunds`;
    const { body: refund } = await shop.must(201, shop.post(path, refunding, { prefer: 'wait=30' }));
    const entries = await entriesOf({ subject: `refund/${refund.id}` });
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['refund.settled', 'succeeded'],
      ['refund.requested', 'pending'],
    ]);
    expect(entries[0]?.detail).toMatchObject({ amount: 1000, currency: 'USD', paymentId: body.payment.id });
    expect(JSON.stringify(entries)).not.toContain('Jane');
  });

  test('what administrators change, once however often a call is repeated', async () => {
    const [sku, code, supplierId] = [`A-${randomUUID()}`, `l-${randomUUID()}`, `s-${randomUUID()}`];
    const [repeat, requestId] = [randomUUID(), `req-${randomUUID()}`];
    const headers = { 'idempotency-key': repeat, 'x-request-id': requestId };
    const product = { sku, name: 'Audited', price: { amount: 100, currency: 'USD' } };
    await shop.must(201, shop.post('/api/products', product, headers));
    await shop.must(201, shop.post('/api/products', product, headers));
    await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { name: 'Secret name', reorderPoint: null }));
    await shop.must(201, shop.post('/api/locations', { code, name: 'West' }));
    const supplier = { id: supplierId, name: 'S', active: true, minOrderQuantity: 1, maxOrderQuantity: 9 };
    await shop.must(201, shop.post('/api/suppliers', supplier));
    await shop.must(200, shop.call('PATCH', `/api/suppliers/${supplierId}`, { active: false }));
    const { body: key } = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: ['orders:read'] }));
    await shop.must(200, shop.call('DELETE', `/api/keys/${key.id}`));
    await shop.must(200, shop.call('DELETE', `/api/keys/${key.id}`));

    const ofProduct = await entriesOf({ subject: `product/${sku}` });
    expect(ofProduct.map(({ action, detail }) => [action, detail])).toEqual([
      ['product.changed', { fields: ['name', 'reorderPoint'] }],
      ['product.created', {}],
    ]);
    expect(ofProduct[1]?.requestId).toBe(requestId);
    const actionsOf = async (subject: string) => (await entriesOf({ subject })).map(({ action }) => action);
    expect(await actionsOf(`location/${code}`)).toEqual(['location.created']);
    expect(await actionsOf(`supplier/${supplierId}`)).toEqual(['supplier.changed', 'supplier.created']);
    expect(await actionsOf(`api_key/${key.id}`)).toEqual(['key.revoked', 'key.created']);
  });

  test('a review that opens, and what a person decided about it', async () => {
    const asked = { amount: 700, currency: 'USD', cardToken: 'tok_refund_down' };
    const { body: paid } = await shop.must(201, shop.post('/api/payments', asked, { prefer: 'wait=30' }));
    await shop.post(`/api/payments/${paid.id}/refunds`, { reason: 'x' }, { prefer: 'respond-async' });
    const review = await expect
      .poll(async () => {
        const { body } = await shop.get('/api/reviews?status=open&limit=200');
        return body.items.find(({ detail }: { detail: { paymentId?: string } }) => detail.paymentId === paid.id)?.id;
      })
      .toMatch(/^rev_/)
      .then(async () => {
        const { body } = await shop.get('/api/reviews?status=open&limit=200');
        return body.items.find(({ detail }: { detail: { paymentId?: string } }) => detail.paymentId === paid.id).id;
      });
    await shop.must(200, shop.post(`/api/reviews/${review}/resolve`, { resolution: 'retry', note: 'try once more' }));
    await shop.must(200, shop.post(`/api/reviews/${review}/resolve`, { resolution: 'done', note: 'by hand' }));
    const entries = await entriesOf({ subject: `review/${review}` });
    expect(entries.map(({ action }) => action)).toEqual(['review.done', 'review.retry', 'review.opened']);
    expect(entries[0]?.actor).toMatch(/^api_key:/);
    expect(JSON.stringify(entries)).not.toContain('by hand');
  });
});

test('lists of the audit log filter, and page without a gap', async () => {
  const { body: key } = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: ['orders:read'] }));
  await shop.must(200, shop.call('DELETE', `/api/keys/${key.id}`));
  const subject = `api_key/${key.id}`;
  const [revoked, created] = await entriesOf({ subject });
  expect(await entriesOf({ subject, to: revoked?.at ?? '' })).toEqual([created]);
  expect(await entriesOf({ subject, from: revoked?.at ?? '' })).toEqual([revoked]);
  expect(await entriesOf({ subject, action: 'key.created', actor: created?.actor ?? '' })).toEqual([created]);
  const first = await shop.must(200, shop.get(`/api/audit?subject=${subject}&limit=1`));
  expect(first.body.items).toEqual([revoked]);
  const next = await shop.must(200, shop.get(`/api/audit?subject=${subject}&limit=1&cursor=${first.body.nextCursor}`));
  expect(next.body).toEqual({ items: [created], nextCursor: null });
  expect((await shop.get('/api/audit?cursor=nonsense')).status).toBe(422);
  expect((await shop.get('/api/audit?from=yesterday')).status).toBe(422);

  const shown = await holdfast(['audit', '--subject', subject, '--action', 'key.revoked']);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toContain(subject);
});

test('only an admin may read the audit log', async () => {
  const { body } = await shop.must(
    201,
    shop.post('/api/keys', { name: 'x', scopes: ['payments:read', 'payments:write'] }),
  );
  const answer = await shop.call('GET', '/api/audit', undefined, { authorization: `Bearer ${body.key}` });
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
});
