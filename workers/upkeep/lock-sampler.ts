/**
 * Samples the ledger's sessions once a second. The share of sampled sessions that wait for a lock estimates the time that
 * sessions lose to each other, without instrumenting the ledger's functions.
 */
import type { Logger } from 'pino';
import type { Sql } from '../../db/postgres/client.js';
import { sampleLedgerSessions } from '../../db/stock/lock-sample.js';
import type { WorkerMetrics } from './metrics.js';

const everyMs = 1000;

export interface Sampler {
  stop(): void;
}

export function startLockSampler(sql: Sql, metrics: WorkerMetrics, log: Logger): Sampler {
  let timer: NodeJS.Timeout;
  let stopped = false;
  const look = async () => {
    try {
      const { working, waiting } = await sampleLedgerSessions(sql);
      metrics.sampledSessions(working, waiting);
    } catch (error) {
      // Postgres is unreachable: the next sample will do.
      log.debug({ err: error }, 'sessions could not be sampled');
    }
    if (!stopped) again();
  };
  const again = () => {
    timer = setTimeout(() => void look(), everyMs).unref();
  };
  again();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
