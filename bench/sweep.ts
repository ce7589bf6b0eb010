/**
 * Orders from few clients up to far more than the machine can serve. Each client calls again as soon as it has an answer,
 * and obeys Retry-After. The levels take turns. At the end the stock must have dropped by the number of accepted orders.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { purchase, stockUp } from './orders.js';
import type { Row, Target } from './table.js';

const levels = [1, 4, 16, 64, 256] as const;
const rounds = 2;
const secondsEach = 20;
/** Between levels, so that one does not start with the backlog of the one before. */
const pauseMs = 3000;

interface Tally {
  readonly latencies: number[];
  refused: number;
  /** 202: accepted, but not decided within the client's wait. */
  late: number;
  seconds: number;
}

export async function benchSweep(target: Target): Promise<Row[]> {
  const sku = `BENCH-S-${Date.now()}`;
  await stockUp(target, sku);
  const tallies = new Map<number, Tally>(
    levels.map((level) => [level, { latencies: [], refused: 0, late: 0, seconds: 0 }]),
  );
  await run(target, sku, 8, 5, { latencies: [], refused: 0, late: 0, seconds: 0 });
  const warmedUp = await onHand(target, sku);
  for (let round = 0; round < rounds; round++)
    for (const [level, tally] of tallies) {
      await run(target, sku, level, secondsEach, tally);
      await sleep(pauseMs);
    }
  const accepted = [...tallies.values()].reduce((sum, { latencies, late }) => sum + latencies.length + late, 0);
  const sold = warmedUp - (await onHand(target, sku));
  if (sold !== accepted) throw new Error(`${accepted} orders were accepted, and ${sold} units sold`);
  const at16 = rateOf(tallies.get(16));
  return [...tallies].map(([level, tally]) => row(level, tally, at16));
}

function row(clients: number, tally: Tally, at16: number): Row {
  const { latencies, refused, late } = tally;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(0);
  return {
    clients,
    'accepted per second': rateOf(tally).toFixed(1),
    'of that at 16': (rateOf(tally) / at16).toFixed(2),
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'max ms': at(0.99999),
    'answered 202': late,
    'refused calls': `${((100 * refused) / (refused + latencies.length)).toFixed(0)} %`,
  };
}

function rateOf(tally: Tally | undefined): number {
  return tally === undefined ? 0 : tally.latencies.length / tally.seconds;
}

/** Runs clients that each buy one order after another for `seconds`. Adds their results to the tally. */
async function run(target: Target, sku: string, clients: number, seconds: number, tally: Tally): Promise<void> {
  const pool = new Pool(target.apiUrl, { connections: clients });
  const body = JSON.stringify(purchase(sku));
  const headers = { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' };
  const began = performance.now();
  const end = began + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      const answer = await pool.request({ path: '/api/orders', method: 'POST', headers, body });
      await answer.body.dump();
      if (answer.statusCode === 503) {
        tally.refused++;
        await sleep(Number(answer.headers['retry-after']) * 1000);
      } else if (answer.statusCode === 201) tally.latencies.push(performance.now() - sent);
      else if (answer.statusCode === 202) tally.late++;
      else throw new Error(`POST /api/orders: ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  // Clients may still have calls in flight or sleep on a Retry-After when the time is over; that time counts too.
  tally.seconds += Math.max(seconds, (performance.now() - began) / 1000);
  await pool.close();
}

async function onHand({ apiUrl, apiKey }: Target, sku: string): Promise<number> {
  const response = await fetch(`${apiUrl}/api/inventory/${sku}`, { headers: { authorization: `Bearer ${apiKey}` } });
  return ((await response.json()) as { onHand: number }).onHand;
}
