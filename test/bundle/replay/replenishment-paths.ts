/** Every path that a replenishment can take. */

import { eventually, type Shop } from '../../shop.js';
import { type Script, Supply, type SupplyRequest } from '../../stack/replenishment/supply.js';
import type { Outside, Path } from './path.js';

/** A replenishment of 16 with 4 in stock: what happens to it, and the status it must reach. */
const replenished =
  (
    script: Script,
    end: string,
    drive: (supply: Supply, sku: string, outside: Outside) => Promise<unknown> = async () => undefined,
    request: SupplyRequest = {},
  ) =>
  async (shop: Shop, outside: Outside): Promise<string> => {
    const supply = new Supply(shop, outside.sandboxUrl);
    const sku = await supply.product(request, script);
    if (request.reorderPoint === undefined) await shop.post('/api/replenishments', { sku });
    await drive(supply, sku, outside);
    await eventually(`a replenishment to be ${end}`, async () => {
      const [newest] = await supply.replenishments(sku);
      return newest?.status === end;
    });
    return `replenishment/${sku}/main`;
  };

const ordered = (supply: Supply, sku: string) =>
  eventually('the order', async () => (await supply.purchaseOrders(sku)).length > 0);

const waiting = (checks: number) => Array.from({ length: checks }, () => 'ordered');

/** Waits until the delivery is overdue; then the script changes and a reviewer decides. */
const overdue = (resolution: 'retry' | 'done', delivery: readonly string[], end: string) =>
  replenished({ delivery: waiting(1) }, end, async (supply, sku) => {
    const [review] = await eventually('the case', async () => {
      const reviews = await supply.reviews(sku);
      return reviews.length > 0 && reviews;
    });
    await supply.script(sku, { delivery });
    await supply.shop.post(`/api/reviews/${review.id}/resolve`, { resolution, note: 'seen to' });
  });

export const replenishmentPaths: readonly Path[] = [
  {
    name: 'replenishment-shipped-and-delivered',
    walk: replenished({ delivery: ['shipped', 'delivered'] }, 'completed'),
  },
  {
    name: 'replenishment-ordered-less',
    walk: replenished({ availability: { available: true, quantity: 6 } }, 'completed'),
  },
  { name: 'replenishment-order-lost', walk: replenished({ order: 'lost' }, 'completed') },
  {
    name: 'replenishment-supplier-has-none',
    walk: replenished({ availability: { available: false, quantity: 0 } }, 'failed'),
  },
  { name: 'replenishment-given-up', walk: replenished({ order: 'error' }, 'failed') },
  { name: 'replenishment-cancelled-by-supplier', walk: replenished({ delivery: ['cancelled'] }, 'failed') },
  {
    name: 'replenishment-called-off',
    walk: replenished({ delivery: ['ordered'] }, 'failed', async (supply, sku, outside) => {
      await ordered(supply, sku);
      await outside.cancel(`replenishment/${sku}/main`);
    }),
  },
  {
    name: 'replenishment-followed-for-long',
    walk: replenished({ delivery: [...waiting(60), 'delivered'] }, 'completed'),
  },
  { name: 'replenishment-overdue-then-delivered', walk: overdue('retry', ['delivered'], 'completed') },
  { name: 'replenishment-overdue-then-failed', walk: overdue('done', ['ordered'], 'failed') },
  {
    name: 'replenishment-joined-and-low-again',
    walk: replenished(
      { delivery: [...waiting(12), 'delivered'] },
      'completed',
      async (supply, sku) => {
        await ordered(supply, sku);
        await supply.replenish(sku);
        await eventually('two deliveries', async () => (await supply.deliveries(sku)).length === 2);
      },
      { reorderPoint: 7, maxStock: 10, max: 3 },
    ),
  },
  {
    name: 'replenishment-refused',
    walk: async (shop, outside) => {
      const sku = await new Supply(shop, outside.sandboxUrl).product({ stock: 20 });
      await shop.post('/api/replenishments', { sku });
      return `replenishment/${sku}/main`;
    },
  },
];
