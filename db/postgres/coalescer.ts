/**
 * Group commit: callers who come while a batch is under way share the next one. There is no timer: a lone caller goes
 * out at once, and under load a batch is as large as what gathered while the last one was away.
 */
import { PostgresTimeout } from './bounded-pool.js';

export interface CoalescerOptions<In> {
  /** Batches that may be under way at once. */
  readonly maxInFlight?: number;
  /** What a batch may weigh; an item that weighs more goes alone. */
  readonly maxWeight?: number;
  readonly weigh?: (item: In) => number;
  /** An item that waits longer for its batch is not sent: its caller gets a CoalescerTimeout. Nothing was done about it. */
  readonly maxWaitMs?: number;
}

/** The batches before this one took too long. */
export class CoalescerTimeout extends PostgresTimeout {}

interface Waiting<In, Out> {
  readonly item: In;
  readonly weight: number;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
  /** When it gives up waiting for a batch, by performance.now(). */
  readonly until: number;
}

/**
 * Turns many calls with one item each into few calls with many. `run` answers with one result per item, in their order;
 * when it rejects, every caller of that batch gets the same error.
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

  /** Leaves the caller's turn first, so that calls made in one go share a batch. */
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
        if (result === undefined) waiting.reject(new Error(`a batch of ${batch.length} got ${results.length} answers`));
        else waiting.resolve(result);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#inFlight--;
      this.#schedule();
    }
  }

  /** Items come in the order of their time: those that are late are the first ones. */
  #dropLate(): void {
    const now = performance.now();
    const firstInTime = this.#waiting.findIndex(({ until }) => until > now);
    const late = this.#waiting.splice(0, firstInTime === -1 ? this.#waiting.length : firstInTime);
    for (const { reject } of late) reject(new CoalescerTimeout('the batches before this one took too long'));
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
