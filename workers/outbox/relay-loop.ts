/** A loop that looks for work when woken and at regular intervals, since a wake-up may be lost. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Loop {
  /** There may be work. */
  wake(): void;
  /** Stops after the current look. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** One look. Returns the milliseconds until work is due; 0: more is waiting; null: none is known. */
  readonly look: () => Promise<number | null>;
  /** The longest sleep. */
  readonly pollMs: number;
  /**
   * The shortest time between looks, so that work which arrives meanwhile is batched. A look that returned 0 does not
   * wait.
   */
  readonly minGapMs: number;
  readonly onError: (error: unknown) => void;
}

export function startLoop({ look, pollMs, minGapMs, onError }: LoopOptions): Loop {
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
      const tooSoonMs = lookedAt + minGapMs - performance.now();
      // Only `stop` cuts this short.
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
