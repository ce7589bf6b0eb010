/** Every path that a transfer can take. */
import { eventually, type Shop } from '../../shop.js';
import { byHand, goods, recall, receive, send, shipped, untilStatus } from '../../stack/transfers/goods.js';
import type { Outside, Path } from './path.js';

/** Goods in transit: what happens to them, and the status the transfer must reach. */
const travelling =
  (drive: (shop: Shop, id: string, outside: Outside, sku: string) => Promise<unknown>, end: string) =>
  async (shop: Shop, outside: Outside): Promise<string> => {
    const { sku, from, to } = await goods(shop, 5);
    const id = await shipped(shop, { sku, quantity: 2, from, to });
    await drive(shop, id, outside, sku);
    await untilStatus(shop, id, end);
    return `transfer/${id}`;
  };

const atOnce = (quantity: number, end: string) => async (shop: Shop) => {
  const { sku, from, to } = await goods(shop, 5);
  const { body } = await send(shop, { sku, quantity, from, to });
  const id = body.id ?? body.transferId;
  await untilStatus(shop, id, end);
  return `transfer/${id}`;
};

/** Calls the goods back while one is missing from transit. Returns the review that this opens. */
async function getStuck(shop: Shop, id: string, { databaseUrl }: Outside, sku: string): Promise<string> {
  await byHand(databaseUrl, { kind: 'lose', sku, location: 'transit', quantity: 2 });
  await shop.post(`/api/transfers/${id}/cancel`, {}, { prefer: 'respond-async' });
  await untilStatus(shop, id, 'manual_review');
  const { body } = await shop.must(200, shop.get('/api/reviews?status=open'));
  const reviews: { id: string; subject: string }[] = body.items;
  return reviews.find(({ subject }) => subject === `transfer/${id}`)?.id ?? '';
}

export const transferPaths: readonly Path[] = [
  { name: 'transfer-moved-at-once', walk: atOnce(2, 'completed') },
  { name: 'transfer-out-of-stock', walk: atOnce(6, 'failed') },
  { name: 'transfer-shipped-and-received', walk: travelling((shop, id) => receive(shop, id), 'completed') },
  {
    name: 'transfer-received-in-part-after-refusals',
    walk: travelling(async (shop, id, outside) => {
      await receive(shop, id, { quantity: 3 });
      await outside.signal(`transfer/${id}`, 'receive', 'nonsense');
      await outside.signal(`transfer/${id}`, 'receive', { quantity: 3 });
      await receive(shop, id, { quantity: 1, reason: 'one is missing' });
    }, 'completed'),
  },
  {
    name: 'transfer-received-by-signal',
    walk: travelling((_shop, id, outside) => outside.signal(`transfer/${id}`, 'receive'), 'completed'),
  },
  { name: 'transfer-called-back', walk: travelling((shop, id) => recall(shop, id), 'cancelled') },
  {
    name: 'transfer-workflow-cancelled',
    walk: travelling((_shop, id, outside) => outside.cancel(`transfer/${id}`), 'cancelled'),
  },
  {
    name: 'transfer-received-and-called-back-at-once',
    walk: async (shop) => {
      const { sku, from, to } = await goods(shop, 5);
      const id = await shipped(shop, { sku, quantity: 2, from, to });
      await Promise.all([receive(shop, id), recall(shop, id)]);
      return `transfer/${id}`;
    },
  },
  {
    name: 'transfer-given-back-after-review',
    walk: travelling(async (shop, id, outside, sku) => {
      const review = await getStuck(shop, id, outside, sku);
      await shop.post(`/api/reviews/${review}/resolve`, { resolution: 'retry', note: 'try again' });
      await byHand(outside.databaseUrl, { kind: 'transfer_in', sku, location: 'transit', quantity: 2 });
      await eventually('the review to be closed', async () => {
        const { body } = await shop.get(`/api/reviews/${review}`);
        return body.status === 'resolved';
      });
    }, 'cancelled'),
  },
  {
    name: 'transfer-given-back-by-hand',
    walk: travelling(async (shop, id, outside, sku) => {
      const review = await getStuck(shop, id, outside, sku);
      await byHand(outside.databaseUrl, { kind: 'transfer_in', sku, location: 'main', quantity: 2 });
      await shop.post(`/api/reviews/${review}/resolve`, { resolution: 'done', note: 'carried back' });
    }, 'cancelled'),
  },
];
