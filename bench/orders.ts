/** Orders end to end over HTTP against an empty workflow on the same server in the same run. */
import autocannon from 'autocannon';
import { cpuPerPiece, cpuTimes } from './cpu.js';
import { besideEmpty, timingRow } from './empty.js';
import type { Row, Target } from './table.js';

const cpu = 'CPU ms each';
const callers = [1, 16, 64] as const;

/** Goods for every order of the run, so that none is refused. */
export async function stockUp(target: Target, sku: string): Promise<void> {
  await post(target, '/api/products', { sku, name: 'Bench', price: { amount: 1000, currency: 'USD' } });
  await post(target, `/api/inventory/${sku}/receipts`, { quantity: 1_000_000 });
}

/** One call that must succeed. */
export async function post(target: Target, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${target.apiUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

/** Orders a second, create and confirm in one call, with a mail to be sent for each. */
export async function buy(
  target: Target,
  sku: string,
  connections: number,
  amount: number,
): Promise<autocannon.Result> {
  const result = await autocannon({
    url: `${target.apiUrl}/api/orders`,
    method: 'POST',
    connections,
    amount,
    timeout: 60,
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({
      lines: [{ sku, quantity: 1 }],
      customer: { email: 'bench@example.com' },
      payment: { cardToken: 'tok_visa' },
      confirm: true,
    }),
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} of ${amount} orders were not confirmed`);
  return result;
}

export async function benchOrders(target: Target): Promise<Row[]> {
  const sku = `BENCH-${Date.now()}`;
  await stockUp(target, sku);
  return besideEmpty(target, async (runEmpty) => {
    await buy(target, sku, 8, 200);
    await runEmpty(8, 200);
    const rows: Row[] = [];
    for (const count of callers) {
      const amount = count === 1 ? 200 : 1200;
      const before = cpuTimes(target);
      const empty = await runEmpty(count, amount);
      const between = cpuTimes(target);
      const { duration, latency } = await buy(target, sku, count, amount);
      const orders = { perSecond: amount / duration, p50: latency.p50, p99: latency.p99 };
      rows.push(
        { ...timingRow(`empty workflow, ${count} callers`, empty), [cpu]: cpuPerPiece(before, between, amount) },
        {
          ...timingRow(`order, ${count} clients`, orders),
          'of empty': (orders.perSecond / empty.perSecond).toFixed(2),
          [cpu]: cpuPerPiece(between, cpuTimes(target), amount),
        },
      );
    }
    return rows;
  });
}
