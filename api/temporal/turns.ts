/** Turns: of all who want to do something under one name, only so many do it at a time, in the order of their coming. */

export class Turns {
  /** By name, those who wait. A name that nobody is busy with has no entry. */
  readonly #queues = new Map<string, { busy: number; readonly waiting: (() => void)[] }>();

  constructor(private readonly atATime: number) {}

  /** Acts when it is its turn. Throws the signal's reason where that is aborted before. */
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
    if (queue.busy < this.atATime) {
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

  /** Hands the turn on; with nobody to hand it to there is one more free. */
  #end(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    const next = queue.waiting.shift();
    if (next !== undefined) next();
    else if (queue.busy > 1) queue.busy -= 1;
    else this.#queues.delete(name);
  }
}
