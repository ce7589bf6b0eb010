/** Starts that are repeated until they succeed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

interface Retries {
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'warn'>;
  readonly waitMs?: number;
}

/** Calls `start` until it succeeds or the signal aborts. A worker without its upkeep still does its tasks. */
export async function untilStarted(start: () => Promise<void>, { signal, log, waitMs = 1000 }: Retries): Promise<void> {
  while (!signal.aborted) {
    try {
      return await start();
    } catch (error) {
      log.warn({ err: error }, 'the upkeep of the worker could not start and will be retried');
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
