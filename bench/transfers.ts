/** Transfers end to end over HTTP, both ways between two locations of one SKU, against an empty workflow. */
import autocannon from 'autocannon';
import { besideEmpty, type Timing, timingRow } from './empty.js';
import { post, stockUp } from './orders.js';
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

/** Every client sends one unit there, then one back, and so on. */
async function transfer(target: Target, sku: string, other: string, count: number): Promise<Timing> {
  const body = (from: string, to: string) => JSON.stringify({ sku, quantity: 1, from, to });
  const { duration, latency, ...result } = await autocannon({
    url: `${target.apiUrl}/api/transfers`,
    method: 'POST',
    connections: clients,
    amount: count,
    timeout: 60,
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' },
    requests: [{ body: body('main', other) }, { body: body(other, 'main') }],
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} of ${count} transfers were not completed`);
  return { perSecond: count / duration, p50: latency.p50, p99: latency.p99 };
}
