/**
 * How long the first confirm takes after the only worker is killed, with thousands of orders open. For some milliseconds
 * the connections of a dying process are still open: a task that the server hands to it then is lost until the time-out of
 * workflow tasks, so both moments are measured.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../test/setup/stack.js';
import { reserve, stockUp } from './orders.js';
import type { Row } from './table.js';

const openOrders = 2500;
/** When the confirm is sent after the signal, in ms. */
const sentAfterMs = [0, 200, 0, 200, 200];

export async function benchFailover(stack: Stack): Promise<Row[]> {
  const sku = `BENCH-F-${Date.now()}`;
  await stockUp(stack, sku);
  await reserve(stack, sku, 16, openOrders);
  const ids = await newestOrders(stack, sentAfterMs.length);
  const rows: Row[] = [];
  for (const [round, id] of ids.entries()) {
    const killed = await stack.kill('worker');
    const began = performance.now();
    const sentAfter = sentAfterMs[round] ?? 0;
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
    const restarted = stack.waitRestarted('worker', killed).then(seconds);
    await sleep(sentAfter);
    await confirm(stack, id);
    rows.push({
      'orders open': openOrders,
      'sent after ms': sentAfter,
      'first confirm s': seconds(),
      'worker ready s': await restarted,
    });
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
