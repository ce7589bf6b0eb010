/** A small demo shop, loaded once over the API like any client would. */
import { existsSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { call, type Reply } from '../cli/connection/client.js';
import type { Connection } from '../cli/connection/settings.js';
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

/** Products with a supplier and a reorder point well below their stock. The others show what happens without a supplier. */
const supply = new Map<string, { reorderPoint: number; maxStock: number; price: number }>([
  ['filter-papers-100', { reorderPoint: 50, maxStock: 1000, price: 310 }],
  ['kettle-gooseneck', { reorderPoint: 3, maxStock: 30, price: 3900 }],
]);

/** The reference of the demo shop's goods in the ledger. */
const reference = 'demo';

/** A product with enough stock for a first order. */
export const firstSku = products[0].sku;

/**
 * Loads the demo shop into a database without products. If a load was interrupted, the next start of the same home
 * completes it: every call has an idempotency key, and a call held by a dead API process is retried until its key is free.
 * If the keys have expired by then, existing rows stay as they are. A database with other products, including another
 * home's demo shop, is left alone.
 */
export async function loadDemoData(api: Connection, marker: string): Promise<'loaded' | 'not needed'> {
  if (existsSync(marker)) return 'not needed';
  const begun = `${marker}.begun`;
  const needed = existsSync(begun) || (await hasNoProducts(api));
  if (needed) {
    writeFileSync(begun, '');
    await create(api, '/api/locations', { code: 'north', name: 'Northern warehouse' }, 'demo/location/north');
    await create(api, '/api/suppliers', supplier, 'demo/supplier');
    await Promise.all(products.map((product) => loadProduct(api, product)));
  }
  writeFileSync(marker, `${new Date().toISOString()}\n`);
  return needed ? 'loaded' : 'not needed';
}

async function loadProduct(api: Connection, { sku, name, price, main, north }: (typeof products)[number]) {
  const product = { sku, name, price: { amount: price, currency: 'USD' }, ...supplyOf(sku) };
  const created = await create(api, '/api/products', product, `demo/product/${sku}`);
  const received = created === 'created' ? [] : await receivedAt(api, sku);
  for (const [location, quantity] of [['main', main] as const, ['north', north] as const])
    if (quantity > 0 && !received.includes(location)) {
      const receipt = { quantity, location, reference };
      await create(api, `/api/inventory/${sku}/receipts`, receipt, `demo/receipt/${sku}/${location}`);
    }
}

function supplyOf(sku: string): object {
  const found = supply.get(sku);
  if (!found) return {};
  const { price, ...levels } = found;
  return { ...levels, supplierId: supplier.id, supplierPrice: { amount: price, currency: 'USD' } };
}

/** Creates it unless it exists. Throws StartError on any other refusal. */
async function create(
  api: Connection,
  path: string,
  body: object,
  idempotencyKey: string,
): Promise<'created' | 'exists'> {
  const reply = await call(api, { method: 'POST', path, body, idempotencyKey });
  if (reply.kind === 'answer') return 'created';
  if (reply.kind === 'problem' && reply.problem.code === 'already_exists') return 'exists';
  throw refused(`POST ${path}`, reply);
}

async function read<T>(api: Connection, path: string, items: z.ZodType<T>): Promise<T[]> {
  const reply = await call(api, { method: 'GET', path });
  if (reply.kind !== 'answer') throw refused(`GET ${path}`, reply);
  return z.object({ items: z.array(items) }).parse(reply.body).items;
}

const refused = (what: string, reply: Exclude<Reply, { kind: 'answer' }>) =>
  new StartError(
    `demo data: ${what}: ${reply.kind === 'problem' ? `${reply.status} ${reply.text.slice(0, 300)}` : reply.detail}`,
  );

const hasNoProducts = async (api: Connection) => (await read(api, '/api/products?limit=1', z.unknown())).length === 0;

/** The locations that have already received their goods. */
async function receivedAt(api: Connection, sku: string): Promise<string[]> {
  const movement = z.object({ reference: z.string().nullable(), location: z.string() });
  const movements = await read(api, `/api/inventory/${sku}/movements?limit=200`, movement);
  return movements.filter((moved) => moved.reference === reference).map(({ location }) => location);
}
