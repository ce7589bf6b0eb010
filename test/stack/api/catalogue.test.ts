import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';

const shop = sharedShop();
const code = (prefix: string) => `${prefix}-${randomUUID().slice(0, 8)}`;
const product = (more: object = {}) => ({
  sku: code('C'),
  name: 'Mug',
  price: { amount: 1250, currency: 'EUR' },
  ...more,
});

describe('products', () => {
  test('are active unless created as drafts, and read back as created', async () => {
    const wanted = product();
    const made = await shop.must(201, shop.post('/api/products', wanted));
    expect(made.headers.get('location')).toBe(`/api/products/${wanted.sku}`);
    expect(made.body).toMatchObject({
      ...wanted,
      status: 'active',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
      updatedAt: expect.any(String),
    });
    expect((await shop.get(`/api/products/${wanted.sku}`)).body).toEqual(made.body);
    const draft = await shop.must(201, shop.post('/api/products', product({ status: 'draft' })));
    expect(draft.body.status).toBe('draft');
  });

  test('keep the fields that a change does not name', async () => {
    const wanted = product();
    await shop.must(201, shop.post('/api/products', wanted));
    const path = `/api/products/${wanted.sku}`;
    const changed = await shop.must(200, shop.call('PATCH', path, { price: { amount: 0, currency: 'GBP' } }));
    expect(changed.body).toMatchObject({ ...wanted, price: { amount: 0, currency: 'GBP' } });
    expect((await shop.call('PATCH', path, {})).status).toBe(422);
    expect((await shop.call('PATCH', path, { sku: 'X' })).status).toBe(422);
    expect((await shop.call('PATCH', '/api/products/NOT-THERE', { name: 'x' })).status).toBe(404);
  });

  test('have unique SKUs', async () => {
    const wanted = product();
    await shop.must(201, shop.post('/api/products', wanted));
    const refused = await shop.post('/api/products', wanted);
    expect([refused.status, refused.body.code, refused.body.sku]).toEqual([409, 'already_exists', wanted.sku]);
  });

  test.each([
    ['no name', { name: '' }],
    ['a negative price', { price: { amount: -1, currency: 'EUR' } }],
    ['a price above 99,999,999', { price: { amount: 100_000_000, currency: 'EUR' } }],
    ['half a cent', { price: { amount: 0.5, currency: 'EUR' } }],
    ['an unsupported currency', { price: { amount: 1, currency: 'JPY' } }],
    ['a SKU that begins with a dot', { sku: '.a' }],
    ['a SKU of 65 characters', { sku: 'x'.repeat(65) }],
    ['a status that no product can start with', { status: 'archived' }],
  ])('with %s are refused', async (_name, wrong) => {
    const refused = await shop.post('/api/products', product(wrong));
    expect([refused.status, refused.body.code]).toEqual([422, 'validation_failed']);
  });
});

describe('locations', () => {
  test('have unique codes, and `main` always exists', async () => {
    const wanted = { code: code('loc'), name: 'Shop floor' };
    const made = await shop.must(201, shop.post('/api/locations', wanted));
    expect(made.body).toMatchObject(wanted);
    for (const taken of [wanted, { code: 'main', name: 'x' }, { code: 'transit', name: 'x' }])
      expect((await shop.post('/api/locations', taken)).body.code).toBe('already_exists');

    const codes: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await shop.must(200, shop.get(`/api/locations?limit=200${cursor}`));
      codes.push(...body.items.map((item: { code: string }) => item.code));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(codes).toEqual(expect.arrayContaining(['main', wanted.code]));
    expect(codes).not.toContain('transit');
  });
});
