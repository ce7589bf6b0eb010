/** A loop that sleeps until it is woken, or for a while: a wake-up may be lost, what it told of is not. */

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
  /** From a wake-up to the look: what comes together is then seen together. */
  readonly gatherMs: number;
  readonly onError: (error: unknown) => void;
}

export function startLoop({ look, pollMs, gatherMs, onError }: LoopOptions): Loop {
  let stopped = false;
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
    while (!stopped) {
      if (!woken) await sleep(Math.min(pauseMs, pollMs));
      woken = false;
      if (gatherMs > 0 && !stopped) await new Promise((resolve) => setTimeout(resolve, gatherMs));
      if (stopped) return;
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
      stopped = true;
      interrupt();
      await ended;
    },
  };
}
