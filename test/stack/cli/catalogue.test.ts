import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sharedShop } from '../../shared.js';
import { field, holdfast } from './holdfast.js';

const shop = sharedShop();

describe('holdfast product', () => {
  it('adds, shows, lists and changes a product', async () => {
    const sku = `P-${randomUUID()}`;
    const made = await holdfast([
      ...['product', 'create', sku, '--name', 'Blue mug', '--price', '14.05 EUR'],
      ...['--reorder-point', '5', '--max-stock', '50', '--supplier-price', '9.50EUR'],
    ]);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(await holdfast(['product', 'show', sku])).toEqual(made);
    const before = (await shop.get(`/api/products/${sku}`)).body;
    expect(before).toMatchObject({
      name: 'Blue mug',
      status: 'active',
      price: { amount: 1405, currency: 'EUR' },
      reorderPoint: 5,
      maxStock: 50,
      supplierId: null,
      supplierPrice: { amount: 950, currency: 'EUR' },
    });
    const listed = await holdfast(['product', 'list', '--limit', '200']);
    expect(listed.out).toMatch(new RegExp(`^${sku} +Blue mug +active +14\\.05 EUR +5 +50 +-$`, 'm'));

    const changed = await holdfast([
      ...['product', 'update', sku, '--price', '15 EUR', '--status', 'archived', '--no-reorder-point'],
      ...['--no-max-stock', '--no-supplier-price'],
    ]);
    expect(changed).toMatchObject({ code: 0, err: '' });
    expect((await shop.get(`/api/products/${sku}`)).body).toMatchObject({
      name: 'Blue mug',
      status: 'archived',
      price: { amount: 1500, currency: 'EUR' },
      reorderPoint: null,
      maxStock: null,
      supplierPrice: null,
    });
  });

  it("adds a draft once for one key, and prints the API's answer with --json", async () => {
    const sku = `P-${randomUUID()}`;
    const args = ['product', 'create', sku, '--name', 'n', '--price', '1 USD', '--draft', '--json'];
    const first = await holdfast([...args, '--idempotency-key', sku]);
    expect(JSON.parse(first.out)).toEqual((await shop.get(`/api/products/${sku}`)).body);
    expect(JSON.parse(first.out).status).toBe('draft');
    expect(await holdfast([...args, '--idempotency-key', sku])).toEqual(first);
    expect(await holdfast(args)).toMatchObject({ code: 1, out: expect.stringContaining('"already_exists"') });
  });

  it('says why a product cannot be changed', async () => {
    const sku = await shop.product(0);
    expect((await holdfast(['product', 'update', sku])).err).toMatch(/^validation_failed: /);
    expect((await holdfast(['product', 'update', sku, '--supplier', 'nobody'])).err).toMatch(/^unknown_supplier: /);
    expect((await holdfast(['product', 'show', 'no-such-sku'])).err).toMatch(/^not_found: /);
    for (const price of ['14', '14.5 USD', '14.055 USD', '1e3 USD', '-1 USD', '14 CHF', '1000000 USD'])
      expect(await holdfast(['product', 'update', sku, '--price', price])).toMatchObject({ code: 2, out: '' });
  });
});

describe('holdfast location', () => {
  it('adds a location and lists it', async () => {
    const code = `L-${randomUUID()}`;
    const made = await holdfast(['location', 'create', code, '--name', 'Berlin']);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect([field(made.out, 'location'), field(made.out, 'name')]).toEqual([code, 'Berlin']);
    expect((await holdfast(['location', 'list'])).out).toMatch(new RegExp(`^${code} +Berlin +\\d{4}-`, 'm'));
    expect((await holdfast(['location', 'create', code, '--name', 'Berlin'])).err).toMatch(/^already_exists: /);
  });
});
