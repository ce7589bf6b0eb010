/**
 * Group commit: callers that arrive while a batch is in flight share the next one. There is no timer: a lone caller
 * is sent at once, and under load a batch holds everything that arrived while the last one was in flight.
 */
import { PostgresTimeout } from './bounded-pool.js';

export interface CoalescerOptions<In> {
  /** Batches in flight at once. */
  readonly maxInFlight?: number;
  /** The largest weight of a batch. A heavier item is sent alone. */
  readonly maxWeight?: number;
  readonly weigh?: (item: In) => number;
  /** An item that waits longer is not sent, and its caller gets a CoalescerTimeout: it had no effect. */
  readonly maxWaitMs?: number;
}

/** The item waited too long for its batch and was not sent. */
export class CoalescerTimeout extends PostgresTimeout {}

interface Waiting<In, Out> {
  readonly item: In;
  readonly weight: number;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
  /** When its wait for a batch ends, by performance.now(). */
  readonly until: number;
}

/**
 * Turns many calls with one item each into few calls with many items. `run` returns one result for each item, in
 * order. When it rejects, every caller of that batch gets the error.
 */
export class Coalescer<In, Out> {
  readonly #run: (items: readonly In[]) => Promise<readonly Out[]>;
  readonly #maxInFlight: number;
  readonly #maxWeight: number;
  readonly #weigh: (item: In) => number;
  readonly #maxWaitMs: number;
  #waiting: Waiting<In, Out>[] = [];
  #inFlight = 0;
  #scheduled = false;

  constructor(run: (items: readonly In[]) => Promise<readonly Out[]>, options: CoalescerOptions<In> = {}) {
    this.#run = run;
    this.#maxInFlight = options.maxInFlight ?? 1;
    this.#maxWeight = options.maxWeight ?? 256;
    this.#weigh = options.weigh ?? (() => 1);
    this.#maxWaitMs = options.maxWaitMs ?? Number.POSITIVE_INFINITY;
  }

  submit(item: In): Promise<Out> {
    return new Promise<Out>((resolve, reject) => {
      const until = performance.now() + this.#maxWaitMs;
      this.#waiting.push({ item, weight: this.#weigh(item), resolve, reject, until });
      this.#schedule();
    });
  }

  /** Waits for the current turn of the event loop to end, so that the calls made in it share a batch. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= this.#maxInFlight || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#inFlight < this.#maxInFlight && this.#waiting.length > 0) void this.#flush();
      this.#schedule();
    });
  }

  async #flush(): Promise<void> {
    this.#dropLate();
    const batch = this.#take();
    if (batch.length === 0) return;
    this.#inFlight++;
    try {
      const results = await this.#run(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        const result = results[index];
        if (result === undefined)
          waiting.reject(new Error(`a batch of ${batch.length} items returned ${results.length} results`));
        else waiting.resolve(result);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#inFlight--;
      this.#schedule();
    }
  }

  /** Rejects items that have waited too long. Items are in order of arrival, so these come first. */
  #dropLate(): void {
    const now = performance.now();
    const firstInTime = this.#waiting.findIndex(({ until }) => until > now);
    const late = this.#waiting.splice(0, firstInTime === -1 ? this.#waiting.length : firstInTime);
    for (const { reject } of late) reject(new CoalescerTimeout('earlier batches took too long'));
  }

  #take(): Waiting<In, Out>[] {
    let weight = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && weight + waiting.weight > this.#maxWeight) break;
      weight += waiting.weight;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
