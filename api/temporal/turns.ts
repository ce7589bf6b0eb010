/** Limits how many callers act at a time under one name, first come, first served. */

export class Turns {
  /** The queue of each name; a name with no caller has none. */
  readonly #queues = new Map<string, { busy: number; readonly waiting: (() => void)[] }>();

  constructor(private readonly maxAtOnce: number) {}

  /** Calls `act` when its turn comes. Throws the signal's reason if it is aborted before that. */
  async take<T>(name: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    await this.#begin(name, signal);
    try {
      return await act();
    } finally {
      this.#end(name);
    }
  }

  async #begin(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const queue = this.#queues.get(name) ?? { busy: 0, waiting: [] };
    this.#queues.set(name, queue);
    if (queue.busy < this.maxAtOnce) {
      queue.busy += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        queue.waiting.splice(queue.waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      const turn = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      queue.waiting.push(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Passes the turn to the next in the queue, or frees it. */
  #end(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    const next = queue.waiting.shift();
    if (next !== undefined) next();
    else if (queue.busy > 1) queue.busy -= 1;
    else this.#queues.delete(name);
  }
}
