/** 100 inventory operations over HTTP: one bulk request against single requests, in turns. */
import { post } from './load.js';
import { stockUp } from './orders.js';
import type { Row, Target } from './table.js';

const operationsPerBulk = 100;
const warmUpRounds = 20;
const rounds = 60;
/** Single requests measured for each bulk request. A single is short, so its median needs more samples. */
const singlesPerRound = 10;

/** Median milliseconds for one operation, for a bulk of 100, and for 100 single operations in sequence. */
export async function benchBulk(target: Target): Promise<Row[]> {
  const rows: Row[] = [];
  for (const skus of [1, operationsPerBulk]) rows.push(...(await compare(target, skus)));
  return rows;
}

async function compare(target: Target, skuCount: number): Promise<Row[]> {
  const skus = Array.from({ length: skuCount }, (_, index) => `BENCH-B-${Date.now()}-${index}`);
  for (const sku of skus) await stockUp(target, sku);
  const consume = (index: number) => ({ operation: 'consume', sku: skus[index % skuCount], quantity: 1 });
  const operations = Array.from({ length: operationsPerBulk }, (_, index) => consume(index));
  const times: { single: number[]; bulk: number[] } = { single: [], bulk: [] };
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const single = await timed(async () => {
      for (let n = 0; n < singlesPerRound; n++) await post(target, '/api/inventory/operations', consume(n));
    });
    const bulk = await timed(() => post(target, '/api/inventory/bulk', { operations }));
    if (round < warmUpRounds) continue;
    times.single.push(single / singlesPerRound);
    times.bulk.push(bulk);
  }
  const [single, bulk] = [median(times.single), median(times.bulk)];
  const row = (what: string, ms: number): Row => ({
    what,
    products: skuCount,
    ms: ms.toFixed(1),
    'times a single': (ms / single).toFixed(1),
  });
  return [
    row('1 operation', single),
    row(`bulk of ${operationsPerBulk}`, bulk),
    row(`${operationsPerBulk} operations, one by one`, single * operationsPerBulk),
  ];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
