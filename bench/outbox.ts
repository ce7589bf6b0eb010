/**
 * The time from the commit that leaves a level low to the start of its replenishment, at a steady rate of such commits. Each
 * event has its own SKU, and so its own workflow. Measured twice: with products without a maximum, whose replenishment only
 * reads the level, and with replenishments that order from the supplier and compete for the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { connect, type Sql } from '../db/postgres/client.js';
import { replenishmentWorkflowId } from '../workflows/replenishment/contract.js';
import { addCpu, cpuPerPiece, cpuTimes, noCpu } from './cpu.js';
import { post } from './load.js';
import type { Row, Target } from './table.js';

const eventsPerSecond = 50;
const events = 500;
const patienceMs = 60_000;
/** Products created at a time. */
const atOnce = 16;

export async function benchOutbox(target: Target): Promise<Row[]> {
  return [await measure(target, 'nothing to order', null), await measure(target, 'each one orders', 100)];
}

async function measure(target: Target, what: string, maxStock: number | null): Promise<Row> {
  const prefix = `BENCH-O-${Date.now()}`;
  await post(target, '/api/suppliers', {
    id: prefix,
    name: 'Bench',
    active: true,
    minOrderQuantity: 1,
    maxOrderQuantity: 1000,
  });
  const skus = Array.from({ length: events }, (_, index) => `${prefix}-${index}`);
  for (let from = 0; from < events; from += atOnce)
    await Promise.all(skus.slice(from, from + atOnce).map((sku) => stockJustEnough(target, sku, prefix, maxStock)));

  const before = cpuTimes(target);
  const started = performance.now();
  const calls: Promise<void>[] = [];
  for (const [index, sku] of skus.entries()) {
    await sleep(Math.max(0, started + (index * 1000) / eventsPerSecond - performance.now()));
    calls.push(post(target, '/api/inventory/operations', { operation: 'consume', sku, quantity: 1 }));
  }
  await Promise.all(calls);
  const took = (performance.now() - started) / 1000;

  const database = connect(target.databaseUrl, { applicationName: 'bench outbox', maxConnections: 1 });
  const connection = await Connection.connect({ address: target.temporalAddress });
  try {
    const committed = await deliveredRows(database.sql, prefix);
    const after = cpuTimes(target);
    const waits = await Promise.all(
      committed.map(async ({ sku, at }) => {
        const handle = new Client({ connection }).workflow.getHandle(replenishmentWorkflowId(sku, 'main'));
        return (await handle.describe()).startTime.getTime() - at;
      }),
    );
    waits.sort((a, b) => a - b);
    const at = (share: number) => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(0);
    return {
      'low level → replenishment started': what,
      events: waits.length,
      'per second': (events / took).toFixed(0),
      'p50 ms': at(0.5),
      'p99 ms': at(0.99),
      'max ms': (waits.at(-1) ?? 0).toFixed(0),
      'CPU ms each': cpuPerPiece(addCpu(noCpu, before, after), events),
    };
  } finally {
    await Promise.all([connection.close(), database.close()]);
  }
}

/** A product that is low once one more unit is sold. */
async function stockJustEnough(
  target: Target,
  sku: string,
  supplierId: string,
  maxStock: number | null,
): Promise<void> {
  const price = { amount: 1000, currency: 'USD' };
  const supply = { reorderPoint: 5, maxStock, supplierId, supplierPrice: { amount: 400, currency: 'USD' } };
  await post(target, '/api/products', { sku, name: 'Bench', price, ...supply });
  await post(target, `/api/inventory/${sku}/receipts`, { quantity: 6 });
}

/** Waits until all rows are delivered. Returns when each was written, just before its commit, in ms since 1970. */
async function deliveredRows(sql: Sql, prefix: string): Promise<readonly { sku: string; at: number }[]> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(200)) {
    const rows = await sql<{ sku: string; at: number }[]>`
      select sku, extract(epoch from min(created_at))::float8 * 1000 as at from outbox
       where topic = 'replenish' and starts_with(sku, ${prefix}) and delivered_at is not null group by sku`;
    if (rows.length >= events) return rows;
  }
  throw new Error(`not all ${events} outbox rows were delivered within ${patienceMs} ms`);
}
