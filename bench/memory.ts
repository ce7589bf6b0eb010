/** The memory of API and worker before and after many orders. */
import { readFileSync } from 'node:fs';
import { buy } from './orders.js';
import type { Row, Target } from './table.js';

const orders = 5000;

export async function benchMemory(target: Target, sku: string): Promise<Row[]> {
  const pids = { api: target.pids.api, worker: target.pids.workers[0] ?? 0 };
  const before = { api: residentMiB(pids.api), worker: residentMiB(pids.worker) };
  await buy(target, sku, 16, orders);
  return (['api', 'worker'] as const).map((name) => ({
    what: name,
    'MiB before': before[name],
    [`MiB after ${orders} orders`]: residentMiB(pids[name]),
  }));
}

/** A process's resident set, in MiB. */
function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}
