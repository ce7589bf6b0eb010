/** A small shop to try things on, loaded once through the API as any client would. */
import { existsSync, writeFileSync } from 'node:fs';
import { StartError } from './start-error.js';

const products = [
  { sku: 'coffee-beans-1kg', name: 'Coffee beans, 1 kg', price: 2490, main: 120, north: 40 },
  { sku: 'hand-grinder', name: 'Hand grinder', price: 8900, main: 35, north: 10 },
  { sku: 'filter-papers-100', name: 'Filter papers, 100', price: 590, main: 800, north: 200 },
  { sku: 'kettle-gooseneck', name: 'Gooseneck kettle', price: 6450, main: 18, north: 6 },
  { sku: 'mug-stoneware', name: 'Stoneware mug', price: 1400, main: 240, north: 90 },
  { sku: 'scale-0.1g', name: 'Scale, 0.1 g', price: 3999, main: 5, north: 0 },
] as const;

const supplier = {
  id: 'northern-trade',
  name: 'Northern Trade Ltd',
  active: true,
  minOrderQuantity: 10,
  maxOrderQuantity: 1000,
};

/** Those that are reordered by themselves, well below what there is. The others show what happens without a supplier. */
const supply = new Map<string, { reorderPoint: number; maxStock: number; price: number }>([
  ['filter-papers-100', { reorderPoint: 50, maxStock: 1000, price: 310 }],
  ['kettle-gooseneck', { reorderPoint: 3, maxStock: 30, price: 3900 }],
]);

/** A product with enough of it for a first order. */
export const firstSku = products[0].sku;

/**
 * Loads the demo shop into a database without products. Every call has an idempotency key, so that a load that this home
 * has begun and not finished is completed by its next start. Products of others, a demo shop included, are left alone.
 */
export async function loadDemoData(apiUrl: string, apiKey: string, marker: string): Promise<'loaded' | 'not needed'> {
  if (existsSync(marker)) return 'not needed';
  const call = caller(apiUrl, apiKey);
  const begun = `${marker}.begun`;
  const needed = existsSync(begun) || (await hasNoProducts(call));
  if (needed) {
    writeFileSync(begun, '');
    await call('POST', '/api/locations', { code: 'north', name: 'Northern warehouse' }, 'demo/location/north');
    await call('POST', '/api/suppliers', supplier, 'demo/supplier');
    await Promise.all(
      products.map(async ({ sku, name, price, main, north }) => {
        await call(
          'POST',
          '/api/products',
          { sku, name, price: { amount: price, currency: 'USD' }, ...supplyOf(sku) },
          `demo/product/${sku}`,
        );
        for (const [location, quantity] of [['main', main] as const, ['north', north] as const])
          if (quantity > 0) {
            const receipt = { quantity, location, reference: 'demo' };
            await call('POST', `/api/inventory/${sku}/receipts`, receipt, `demo/receipt/${sku}/${location}`);
          }
      }),
    );
  }
  writeFileSync(marker, `${new Date().toISOString()}\n`);
  return needed ? 'loaded' : 'not needed';
}

function supplyOf(sku: string): object {
  const found = supply.get(sku);
  if (!found) return {};
  const { price, ...levels } = found;
  return { ...levels, supplierId: supplier.id, supplierPrice: { amount: price, currency: 'USD' } };
}

function caller(apiUrl: string, apiKey: string) {
  return async (method: 'GET' | 'POST', path: string, body?: object, idempotencyKey?: string): Promise<unknown> => {
    const response = await fetch(new URL(path, apiUrl), {
      method,
      headers: {
        Authorization: `Bearer ${apiKey}`,
        ...(body && { 'Content-Type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
      },
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    if (!response.ok)
      throw new StartError(`demo data: ${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  };
}

async function hasNoProducts(call: ReturnType<typeof caller>): Promise<boolean> {
  const list = await call('GET', '/api/products?limit=1');
  return typeof list === 'object' && list !== null && 'items' in list && Array.isArray(list.items) && !list.items[0];
}
