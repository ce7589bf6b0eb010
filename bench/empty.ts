/** The baseline of all measurements: the empty workflow on the same server in the same run. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Client, Connection } from '@temporalio/client';
import { nodeOptions } from '../dev/processes/servers.js';
import type { Row, Target } from './table.js';

export interface Timing {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Runs `amount` empty workflows, `concurrency` at a time. */
export type RunEmpty = (concurrency: number, amount: number) => Promise<Timing>;

/**
 * Lets `measure` run empty workflows on a separate worker with the settings of ours. Ends that worker afterwards.
 */
export async function besideEmpty<T>(target: Target, measure: (runEmpty: RunEmpty) => Promise<T>): Promise<T> {
  const worker = fork(createRequire(import.meta.url).resolve('./empty-worker.js'), {
    env: { ...process.env, TEMPORAL_ADDRESS: target.temporalAddress },
    execArgv: [...nodeOptions],
  });
  await once(worker, 'message');
  const connection = await Connection.connect({ address: target.temporalAddress });
  try {
    const client = new Client({ connection });
    return await measure((concurrency, amount) => runEmpty(client, concurrency, amount));
  } finally {
    await connection.close();
    // It has nothing to finish, and must not outlive the server.
    worker.kill('SIGKILL');
  }
}

async function runEmpty(client: Client, concurrency: number, amount: number): Promise<Timing> {
  const latencies: number[] = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let index = next++; index < amount; index = next++) {
        const start = performance.now();
        await client.workflow.execute('empty', { taskQueue: 'bench-empty', workflowId: `empty/${began}/${index}` });
        latencies.push(performance.now() - start);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { perSecond: amount / seconds, p50: at(0.5), p99: at(0.99) };
}

export function timingRow(what: string, { perSecond, p50, p99 }: Timing): Row {
  return { what, 'per second': perSecond.toFixed(1), 'p50 ms': p50.toFixed(0), 'p99 ms': p99.toFixed(0) };
}

/** Combines rounds of equal amounts: the overall rate and the median of their latencies. */
export function combine(timings: readonly Timing[]): Timing {
  const median = (of: (timing: Timing) => number) =>
    timings.map(of).sort((a, b) => a - b)[Math.floor(timings.length / 2)] ?? 0;
  const seconds = timings.reduce((sum, { perSecond }) => sum + 1 / perSecond, 0);
  return { perSecond: timings.length / seconds, p50: median(({ p50 }) => p50), p99: median(({ p99 }) => p99) };
}
