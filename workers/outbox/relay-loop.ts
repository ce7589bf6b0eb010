/** A loop that sleeps until it is woken, or for a while: a wake-up may be lost, what it told of is not. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Loop {
  /** Something may have come. */
  wake(): void;
  /** Ends after the look that is under way. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** One look. Returns the milliseconds until the next is worth it; 0: there is more; null: nothing is known of. */
  readonly look: () => Promise<number | null>;
  /** The longest sleep. */
  readonly pollMs: number;
  /** The shortest time from one look to the next, unless there is more to see: what comes meanwhile is seen together. */
  readonly apartMs: number;
  readonly onError: (error: unknown) => void;
}

export function startLoop({ look, pollMs, apartMs, onError }: LoopOptions): Loop {
  const stopped = new AbortController();
  let woken = true;
  let interrupt: () => void = () => undefined;
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async () => {
    let pauseMs = pollMs;
    let lookedAt = Number.NEGATIVE_INFINITY;
    while (!stopped.signal.aborted) {
      if (!woken) await sleep(Math.min(pauseMs, pollMs));
      const tooSoonMs = lookedAt + apartMs - performance.now();
      // Nothing but the end cuts this short.
      if (tooSoonMs > 0 && pauseMs > 0) await pause(tooSoonMs, null, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      woken = false;
      lookedAt = performance.now();
      try {
        pauseMs = (await look()) ?? pollMs;
      } catch (error) {
        pauseMs = pollMs;
        onError(error);
      }
      woken ||= pauseMs <= 0;
    }
  };
  const ended = run();

  return {
    wake() {
      woken = true;
      interrupt();
    },
    async stop() {
      stopped.abort();
      interrupt();
      await ended;
    },
  };
}
