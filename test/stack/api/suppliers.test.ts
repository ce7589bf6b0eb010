import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { product } from '../../../api/products/schemas.js';
import { supplier, supplierPage } from '../../../api/suppliers/schemas.js';
import { connect } from '../../../db/postgres/client.js';
import { sharedShop } from '../../shared.js';
import { Shop } from '../../shop.js';
import { loseAnswer } from '../inventory/lost-answer.js';

const shop = sharedShop();
const connection = connect(inject('databaseUrl'), { applicationName: 'holdfast test', maxConnections: 1 });
afterAll(() => connection.close());
const beans = { name: 'Beans Ltd', active: true, minOrderQuantity: 5, maxOrderQuantity: 50 };
const price = { amount: 100, currency: 'USD' };
const patch = (path: string, body: unknown) => shop.call('PATCH', path, body);

describe('a supplier', () => {
  it('is created with a given or a generated id, read, listed, changed and switched off', async () => {
    const made = await shop.must(201, shop.post('/api/suppliers', beans));
    expect(made.body).toEqual({
      ...beans,
      id: expect.stringMatching(/^sup_/),
      url: null,
      createdAt: expect.anything(),
      updatedAt: expect.anything(),
    });
    expect(supplier.safeParse(made.body).success).toBe(true);
    const path = `/api/suppliers/${made.body.id}`;
    expect(made.headers.get('location')).toBe(path);
    expect((await shop.must(200, shop.get(path))).body).toEqual(made.body);

    const id = `mine-${randomUUID()}`;
    await shop.must(201, shop.post('/api/suppliers', { ...beans, id, url: 'https://beans.example' }));
    const { body } = await shop.must(200, shop.get('/api/suppliers?limit=2'));
    expect(supplierPage.safeParse(body).success).toBe(true);
    expect(body.items.map((item: { id: string }) => item.id)).toContain(id);
    const off = await shop.must(200, patch(`/api/suppliers/${id}`, { active: false, url: null }));
    expect(off.body).toMatchObject({ id, active: false, url: null, minOrderQuantity: 5 });
    expect(off.body.updatedAt > off.body.createdAt).toBe(true);
    expect((await shop.must(200, shop.get(`/api/suppliers/${id}`))).body).toEqual(off.body);
  });

  it('is listed once, newest first, with any page size', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count++)
      ids.push((await shop.must(201, shop.post('/api/suppliers', beans))).body.id);
    const listed: string[] = [];
    for (let cursor = ''; ids.some((id) => !listed.includes(id)); ) {
      const { body } = await shop.must(200, shop.get(`/api/suppliers?limit=2${cursor}`));
      listed.push(...body.items.map((item: { id: string }) => item.id));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(listed.filter((id) => ids.includes(id))).toEqual(ids.toReversed());
  });

  it('is read with one scope and changed with another', async () => {
    const { body } = await shop.must(201, shop.post('/api/suppliers', beans));
    const path = `/api/suppliers/${body.id}`;
    const statuses = async (scope: string) => {
      const made = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: [scope] }));
      const limited = new Shop({
        apiUrl: inject('apiUrls')[0] ?? '',
        apiKey: made.body.key,
        sandboxUrl: inject('sandboxUrl'),
      });
      const answers = [
        await limited.get(path),
        await limited.get('/api/suppliers'),
        await limited.post('/api/suppliers', beans),
        await limited.call('PATCH', path, { active: false }),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await statuses('supply:read')).toEqual([200, 200, 403, 403]);
    expect(await statuses('supply:write')).toEqual([403, 403, 201, 200]);
    expect(await statuses('inventory:write')).toEqual([403, 403, 403, 403]);
  });

  it('is created once for an idempotency key, and its id is unique', async () => {
    const id = `mine-${randomUUID()}`;
    const key = { 'idempotency-key': randomUUID() };
    const first = await shop.must(201, shop.post('/api/suppliers', { ...beans, id }, key));
    expect((await shop.must(201, shop.post('/api/suppliers', { ...beans, id }, key))).body).toEqual(first.body);
    await loseAnswer(connection.sql, key['idempotency-key']);
    expect((await shop.must(201, shop.post('/api/suppliers', { ...beans, id }, key))).body).toEqual(first.body);
    expect(await shop.post('/api/suppliers', { ...beans, id })).toMatchObject({
      status: 409,
      body: { code: 'already_exists', supplierId: id },
    });
    const taken = { ...beans, id, name: 'Others Ltd' };
    expect((await shop.post('/api/suppliers', taken)).status).toBe(409);
    expect((await shop.get(`/api/suppliers/${id}`)).body).toEqual(first.body);
  });

  it.each([
    ['/minOrderQuantity', { minOrderQuantity: 0 }],
    ['/url', { url: 'ftp://beans.example' }],
    ['/url', { url: 'beans' }],
    ['/url', { url: 'https://me:secret@beans.example' }],
    ['/url', { url: 'https://beans.example/?key=1' }],
    ['/url', { url: 'https://beans.example/#top' }],
    ['/url', { url: 'https://beans.\nexample' }],
    ['/url', { url: 'http://169.254.169.254/latest/meta-data' }],
    ['/url', { url: 'http://2852039166' }],
    ['/url', { url: 'http://[::1]:5432' }],
    ['/url', { url: 'http://10.0.0.1' }],
    ['/name', { name: '' }],
    ['/colour', { name: 'Red', colour: 'red' }],
  ])('cannot be created or changed with a wrong %s', async (pointer, fields) => {
    const wrong = { status: 422, body: { code: 'validation_failed', errors: [{ pointer }] } };
    expect(await shop.post('/api/suppliers', { ...beans, ...fields })).toMatchObject(wrong);
    const { body } = await shop.must(201, shop.post('/api/suppliers', beans));
    expect(await patch(`/api/suppliers/${body.id}`, fields)).toMatchObject(wrong);
    expect((await patch(`/api/suppliers/${body.id}`, {})).status).toBe(422);
    expect((await shop.get(`/api/suppliers/${body.id}`)).body).toEqual(body);
  });

  it("has a normalized address, which may be the sandbox's", async () => {
    const sandbox = `${inject('sandboxUrl')}/`;
    const made = await shop.must(201, shop.post('/api/suppliers', { ...beans, url: sandbox }));
    expect(made.body.url).toBe(inject('sandboxUrl'));
    const url = 'HTTPS://Beans.Example:443/a/../b/';
    const path = `/api/suppliers/${made.body.id}`;
    expect((await shop.must(200, patch(path, { url }))).body.url).toBe('https://beans.example/b/');
    expect((await shop.must(200, shop.get(path))).body.url).toBe('https://beans.example/b/');
  });

  it('never has a maximum below its minimum, even after a change', async () => {
    const wrong = { status: 422, body: { code: 'validation_failed', errors: [{ pointer: '/maxOrderQuantity' }] } };
    expect(await shop.post('/api/suppliers', { ...beans, maxOrderQuantity: 4 })).toMatchObject(wrong);
    const { body } = await shop.must(201, shop.post('/api/suppliers', beans));
    expect(await patch(`/api/suppliers/${body.id}`, { minOrderQuantity: 51 })).toMatchObject(wrong);
    expect(await shop.get('/api/suppliers/nobody')).toMatchObject({ status: 404 });
    expect(await patch('/api/suppliers/nobody', { active: true })).toMatchObject({ status: 404 });
  });
});

describe('a product that is reordered', () => {
  it('has supplier, reorder point, maximum and price, and null removes each', async () => {
    const { body: from } = await shop.must(201, shop.post('/api/suppliers', beans));
    const sku = `T-${randomUUID()}`;
    const supply = { reorderPoint: 5, maxStock: 50, supplierId: from.id, supplierPrice: price };
    const made = await shop.must(201, shop.post('/api/products', { sku, name: 'P', price, ...supply }));
    expect(made.body).toMatchObject(supply);
    expect(product.safeParse(made.body).success).toBe(true);
    const cleared = { reorderPoint: null, maxStock: null, supplierId: null, supplierPrice: null };
    expect((await shop.must(200, patch(`/api/products/${sku}`, cleared))).body).toMatchObject(cleared);
    expect((await shop.must(200, patch(`/api/products/${sku}`, { reorderPoint: 3 }))).body).toMatchObject({
      ...cleared,
      reorderPoint: 3,
      name: 'P',
    });
  });

  it('needs an existing supplier and a maximum not below its reorder point', async () => {
    const sku = await shop.product(0);
    const unknown = {
      status: 422,
      body: { code: 'unknown_supplier', errors: [{ pointer: '/supplierId', code: 'unknown_supplier' }] },
    };
    expect(await patch(`/api/products/${sku}`, { supplierId: 'nobody' })).toMatchObject(unknown);
    const other = { sku: `T-${randomUUID()}`, name: 'P', price };
    expect(await shop.post('/api/products', { ...other, supplierId: 'nobody' })).toMatchObject(unknown);
    const wrong = { status: 422, body: { code: 'validation_failed', errors: [{ pointer: '/maxStock' }] } };
    expect(await shop.post('/api/products', { ...other, reorderPoint: 5, maxStock: 4 })).toMatchObject(wrong);
    await shop.must(200, patch(`/api/products/${sku}`, { maxStock: 10 }));
    expect(await patch(`/api/products/${sku}`, { reorderPoint: 11 })).toMatchObject(wrong);
    expect((await shop.get(`/api/products/${sku}`)).body).toMatchObject({ reorderPoint: null, maxStock: 10 });
  });
});
