/** Transfers of one SKU both ways between two locations, end to end over HTTP, compared with an empty workflow. */
import { besideEmpty, type Timing, timingRow } from './empty.js';
import { load, post } from './load.js';
import { stockUp } from './orders.js';
import type { Row, Target } from './table.js';

const clients = 16;
const warmUp = 200;
const amount = 1200;

export async function benchTransfers(target: Target): Promise<Row[]> {
  const sku = `BENCH-T-${Date.now()}`;
  const other = `bench-${Date.now()}`;
  await stockUp(target, sku);
  await post(target, '/api/locations', { code: other, name: 'Bench' });
  await post(target, `/api/inventory/${sku}/receipts`, { quantity: 1_000_000, location: other });
  return besideEmpty(target, async (runEmpty) => {
    await runEmpty(clients, warmUp);
    await transfer(target, sku, other, warmUp);
    const empty = await runEmpty(clients, amount);
    const transfers = await transfer(target, sku, other, amount);
    return [
      timingRow(`empty workflow, ${clients} callers`, empty),
      {
        ...timingRow(`transfer, ${clients} clients`, transfers),
        'of empty': (transfers.perSecond / empty.perSecond).toFixed(2),
      },
    ];
  });
}

/** Every client alternates between sending one unit there and one back. */
function transfer(target: Target, sku: string, other: string, count: number): Promise<Timing> {
  const goods = { sku, quantity: 1 };
  const bodies = [
    { ...goods, from: 'main', to: other },
    { ...goods, from: other, to: 'main' },
  ];
  return load(target, '/api/transfers', { clients, amount: count, bodies });
}
