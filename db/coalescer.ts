/**
 * Group commit: callers who come while a batch is under way share the next one. There is no timer: a lone caller goes
 * out at once, and under load a batch is as large as what gathered while the last one was away.
 */

export interface CoalescerOptions<In> {
  /** Batches that may be under way at once. */
  readonly maxInFlight?: number;
  /** What a batch may weigh; an item that weighs more goes alone. */
  readonly maxWeight?: number;
  readonly weigh?: (item: In) => number;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly weight: number;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
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
  #waiting: Waiting<In, Out>[] = [];
  #inFlight = 0;
  #scheduled = false;

  constructor(run: (items: readonly In[]) => Promise<readonly Out[]>, options: CoalescerOptions<In> = {}) {
    this.#run = run;
    this.#maxInFlight = options.maxInFlight ?? 1;
    this.#maxWeight = options.maxWeight ?? 256;
    this.#weigh = options.weigh ?? (() => 1);
  }

  submit(item: In): Promise<Out> {
    return new Promise<Out>((resolve, reject) => {
      this.#waiting.push({ item, weight: this.#weigh(item), resolve, reject });
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
    const batch = this.#take();
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
