/** The law of transfers: whatever happens to them, total stock never changes. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { connect } from '../../db/postgres/client.js';
import type { ServerName, Stack } from '../setup/stack.js';
import { type Answer, eventually, Shop } from '../shop.js';
import { booksAgree, location, untilStatus, whereabouts } from '../stack/transfers/goods.js';

const atEachEnd = 100;
const atOnce = 16;
/** Between two kills: long enough for some work to get done. */
const pauseMs = { worker: 1200, api: 1200, sandbox: 1200, postgres: 4000, temporal: 8000 } as const;

/**
 * Runs transfers both ways between two locations (a third immediate, a third shipped and received, a third shipped and
 * called back) while killing a server with SIGKILL over and over. Meanwhile reads the sum over all locations, each time in
 * one snapshot. Returns the numbers of readings and kills.
 */
export async function conserves(
  stack: Stack,
  transfers: number,
  victim: ServerName,
): Promise<{ readings: number; killed: number }> {
  const shop = new Shop(stack);
  const there = await location(shop);
  const sku = await shop.product(atEachEnd);
  await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: atEachEnd, location: there }));

  const over = new AbortController();
  const reading = readAllAlong(stack.databaseUrl, sku, over.signal);
  const killing = killOverAndOver(stack, victim, over.signal);

  let next = 0;
  let arrived = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = next++; index < transfers; index = next++) {
        const [from, to] = index % 2 ? ['main', there] : [there, 'main'];
        const status = await travel(shop, { sku, quantity: 1, from, to }, index);
        if (status === 'completed') arrived += index % 2 ? 1 : -1;
      }
    }),
  );
  over.abort();
  const [killed, sums] = await Promise.all([killing, reading]);
  expect(new Set(sums)).toEqual(new Set([2 * atEachEnd]));
  expect(await eventually('the end of all', () => whereabouts(shop, sku))).toEqual({
    main: atEachEnd - arrived,
    [there]: atEachEnd + arrived,
    ...{ transit: 0, held: 0 },
  });
  expect(await booksAgree(shop)).toBe(true);
  return { readings: sums.length, killed };
}

/** Kills each worker in turn, or the one server of that name. Returns how often. */
async function killOverAndOver(stack: Stack, victim: ServerName, over: AbortSignal): Promise<number> {
  let killed = 0;
  for (let round = 0; !over.aborted; round++) {
    await sleep(pauseMs[victim]);
    const index = victim === 'worker' ? round % stack.pids.workers.length : 0;
    // Leave a server alone that is just being restarted.
    const pid = await stack.kill(victim, index).catch(() => null);
    if (pid === null) continue;
    killed++;
    await stack.waitRestarted(victim, pid, index);
  }
  return killed;
}

/** Drives one transfer to its end like a client with keys. Returns how it ended. */
async function travel(shop: Shop, goods: object, index: number): Promise<string> {
  const mode = index % 3 === 0 ? 'immediate' : 'shipped';
  const { body } = await insist(shop, '/api/transfers', { ...goods, mode });
  const id: string = body.id;
  if (mode === 'immediate') return (await untilStatus(shop, id, 'completed')).status;
  await untilStatus(shop, id, 'in_transit');
  const verb = index % 3 === 1 ? 'receive' : 'cancel';
  await insist(shop, `/api/transfers/${id}/${verb}`, {});
  return (await untilStatus(shop, id, verb === 'receive' ? 'completed' : 'cancelled')).status;
}

/** Repeats a call with its key until it is accepted. */
async function insist(shop: Shop, path: string, body: object): Promise<Answer> {
  const key = randomUUID();
  return eventually(`${path} to be accepted`, async () => {
    const answer = await shop.post(path, body, { 'idempotency-key': key, prefer: 'wait=5' });
    if (answer.status < 300) return answer;
    throw new Error(`${key}: ${answer.status} ${JSON.stringify(answer.body)}`);
  });
}

/** Reads the sum of stock on hand and in transit as often as possible. Retries while the server is down. */
async function readAllAlong(databaseUrl: string, sku: string, over: AbortSignal): Promise<number[]> {
  const connection = connect(databaseUrl, { applicationName: 'holdfast test', maxConnections: 1 });
  const sums: number[] = [];
  try {
    while (!over.aborted) {
      const read = connection.sql<{ sum: number }[]>`
        select sum(on_hand)::float8 as sum from stock_levels where sku = ${sku}`;
      const [row] = await read.catch(() => []);
      if (row) sums.push(row.sum);
      await sleep(2);
    }
  } finally {
    await connection.close();
  }
  return sums;
}
