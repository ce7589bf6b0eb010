/** How long the first confirm takes after the only worker is killed, with thousands of orders open. */
import type { Stack } from '../test/setup/stack.js';
import { reserve, stockUp } from './orders.js';
import type { Row } from './table.js';

const openOrders = 2500;
const kills = 3;

export async function benchFailover(stack: Stack): Promise<Row[]> {
  const sku = `BENCH-F-${Date.now()}`;
  await stockUp(stack, sku);
  await reserve(stack, sku, 16, openOrders);
  const ids = await newestOrders(stack, kills);
  const rows: Row[] = [];
  for (const id of ids) {
    const killed = await stack.kill('worker');
    const began = performance.now();
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
    const restarted = stack.waitRestarted('worker', killed).then(seconds);
    await confirm(stack, id);
    rows.push({ 'orders open': openOrders, 'first confirm s': seconds(), 'worker ready s': await restarted });
  }
  return rows;
}

async function newestOrders({ apiUrl, apiKey }: Stack, limit: number): Promise<string[]> {
  const response = await fetch(`${apiUrl}/api/orders?status=reserved&limit=${limit}`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const { items } = (await response.json()) as { items: { id: string }[] };
  return items.map(({ id }) => id);
}

async function confirm({ apiUrl, apiKey }: Stack, id: string): Promise<void> {
  const response = await fetch(`${apiUrl}/api/orders/${id}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ payment: { cardToken: 'tok_visa' } }),
  });
  if (response.status !== 200) throw new Error(`confirm: ${response.status} ${await response.text()}`);
}
