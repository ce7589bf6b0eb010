/**
 * Admits calls that start sagas. Only as many sagas start at once as are decided quickly. The other calls wait here, taking
 * turns by API key, before anything is written about them. A burst waits as long as its clients do. In lasting overload new
 * calls are refused, so that admitted ones are answered soon
 * (docs/adr/0016-overload-is-refused-before-anything-is-written.md).
 */
import type { Registry } from 'prom-client';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { FairQueue, type Queued } from './fair-queue.js';
import { AdmissionMetrics } from './metrics.js';
import { longWaitMs, Overload } from './overload.js';

/** Permission to start a saga. Its holder frees it by one of the methods; further calls do nothing. */
export interface Place {
  /** The rest of the client's wait. 0: it is over, or the client did not want to wait. */
  readonly waitMs: number;
  /** @param decided whether a saga was started and has decided; its latency is then recorded */
  leave(decided: boolean): void;
  /** For a started saga that nobody waits for: frees the place after the average time of a saga. */
  leaveLater(): void;
}

export type Entry =
  | { readonly kind: 'admitted'; readonly place: Place }
  /** Nothing was done; the client may retry after `retryAfterSeconds`. */
  | { readonly kind: 'refused'; readonly retryAfterSeconds: number; readonly why: 'overload' | 'stopping' }
  /** The client has hung up. */
  | { readonly kind: 'gone' };

export interface Request {
  readonly apiKeyId: string;
  /** How long the client waits for its answer. */
  readonly waitMs: number;
  /** Aborted when the client hangs up. */
  readonly gone: AbortSignal;
}

export interface AdmissionOptions {
  /** How many sagas this process runs at once; null: as many as are decided quickly. */
  readonly limit: number | null;
  readonly registry: Registry;
}

/**
 * With fewer waiting calls there is no overload, however long they wait. If sagas are slow because of a bank or supplier,
 * even a few callers make a long queue, and refusing them would not help.
 */
const overloadQueued = 32;
/** Even in overload, no call is refused while fewer are waiting. */
const leastQueued = 8;
/** In overload, calls that would wait longer are refused; with the saga's own time, answers stay below 2 s. */
const fullQueueMs = 1000;
/**
 * In a queue of up to this long every call is answered soon, so all wait their turn. In a longer one some calls must wait
 * long; newest first keeps them few.
 */
const tooLongQueueMs = 1400;
/** A client that does not want to wait for the decision still waits this long for a place. */
const leastQueueMs = 1000;
/** With less time left, a saga starts without waiting for its decision: even starting it may take this long. */
const leastWaitMs = 1000;
const lookEveryMs = 100;
/**
 * Retry-After is spread over some seconds, so that refused calls do not all come back at once. More refusals spread wider,
 * since each refusal costs something too. In seconds, for each refused call per admitted call.
 */
const spreadSeconds = 6;
const leastSpreadSeconds = 3;
const mostSpreadSeconds = 20;

interface Waiting extends Queued {
  readonly since: number;
  /** When the client's wait is over. */
  readonly until: number;
  readonly settle: (entry: Entry | 'place' | 'overdue') => void;
}

export class Admission {
  readonly #limit: ConcurrencyLimit;
  readonly #queue = new FairQueue<Waiting>();
  readonly #overload = new Overload();
  readonly #metrics: AdmissionMetrics;
  #inUse = 0;
  /** Calls admitted beyond the limit because their wait was over. */
  #overdue = 0;
  #refusals = 0;
  #looking: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor({ limit, registry }: AdmissionOptions) {
    this.#limit = new ConcurrencyLimit(limit);
    this.#metrics = new AdmissionMetrics(registry, () => ({
      limit: this.#limit.value,
      inUse: this.#inUse,
      queued: this.#queue.size,
    }));
  }

  /** Waits for a place. Never rejects. */
  async enter({ apiKeyId, waitMs, gone }: Request): Promise<Entry> {
    const since = performance.now();
    this.#overload.arrived(since);
    if (this.#stopping) return this.#refuse('stopping');
    if (gone.aborted) return { kind: 'gone' };
    const overloaded = this.#look(since);
    const free = this.#queue.size === 0 && this.#inUse < this.#limit.value;
    if (!free) {
      const crowded = overloaded && this.#queue.size >= leastQueued;
      if (crowded && this.#waitBehind(this.#queue.aheadOf(apiKeyId)) > fullQueueMs) return this.#refuse('overload');
      const until = since + Math.max(waitMs, leastQueueMs);
      const entry = await this.#wait({ owner: apiKeyId, since, until }, gone);
      if (entry === 'overdue') {
        this.#metrics.admitted((performance.now() - since) / 1000);
        return { kind: 'admitted', place: this.#overduePlace() };
      }
      if (entry !== 'place') return entry;
    } else {
      this.#inUse++;
      this.#overload.served(since);
    }
    const waited = performance.now() - since;
    this.#metrics.admitted(waited / 1000);
    if (free) return { kind: 'admitted', place: this.#place(waitMs) };
    const left = Math.round(waitMs - waited);
    return { kind: 'admitted', place: this.#place(left < leastWaitMs ? 0 : left) };
  }

  /** Refuses all waiting and all new calls: the process is about to end. */
  stop(): void {
    this.#stopping = true;
    for (const waiting of this.#queue.items()) waiting.settle(this.#refuse('stopping'));
  }

  /** Queues a call. Resolves with `place` or `overdue` once it is admitted and counted. */
  #wait(about: Pick<Waiting, 'owner' | 'since' | 'until'>, gone: AbortSignal): Promise<Entry | 'place' | 'overdue'> {
    return new Promise((resolve) => {
      const hangUp = () => waiting.settle({ kind: 'gone' });
      const waiting: Waiting = {
        ...about,
        settle: (entry) => {
          gone.removeEventListener('abort', hangUp);
          this.#queue.remove(waiting);
          resolve(entry);
        },
      };
      gone.addEventListener('abort', hangUp, { once: true });
      this.#queue.add(waiting);
      this.#looking ??= setInterval(() => this.#lookThrough(), lookEveryMs).unref();
    });
  }

  #lookThrough(): void {
    const now = performance.now();
    if (this.#look(now))
      for (const waiting of this.#queue.items())
        if (this.#queue.size >= leastQueued && now - waiting.since > longWaitMs)
          waiting.settle(this.#refuse('overload'));
    this.#letOverdueIn(now);
    this.#letNextIn();
    if (this.#queue.size > 0) return;
    clearInterval(this.#looking ?? undefined);
    this.#looking = null;
  }

  /**
   * Admits calls whose wait is over beyond the limit. They are answered once their saga exists, as without a queue. Not all
   * at once, since the server has to handle each of them.
   */
  #letOverdueIn(now: number): void {
    for (const waiting of this.#queue.items()) {
      if (this.#overdue >= this.#limit.value) return;
      if (now < waiting.until) continue;
      this.#overdue++;
      this.#overload.served(now);
      waiting.settle('overdue');
    }
  }

  #letNextIn(): void {
    while (this.#queue.size > 0 && this.#inUse < this.#limit.value) {
      const now = performance.now();
      const long = this.#waitBehind(this.#queue.size) > tooLongQueueMs;
      const next = this.#queue.take(long && !this.#look(now) ? 'newest' : 'oldest');
      if (next) this.#letIn(next, now);
    }
  }

  #letIn(waiting: Waiting, now: number): void {
    this.#inUse++;
    this.#overload.served(now);
    waiting.settle('place');
  }

  #look(now: number): boolean {
    return this.#overload.look(now, this.#queue.size < overloadQueued ? 0 : this.#waitBehind(this.#queue.size));
  }

  /** How long it takes to admit this many calls (Little's law). */
  #waitBehind(count: number): number {
    return (count * this.#limit.meanMs) / this.#limit.value;
  }

  #refuse(why: 'overload' | 'stopping'): Entry {
    if (why === 'overload') this.#overload.refused(performance.now());
    this.#metrics.refused(why);
    const pressure = this.#overload.refusedForEachServed();
    const spread = Math.min(mostSpreadSeconds, Math.max(leastSpreadSeconds, Math.round(spreadSeconds * pressure)));
    return { kind: 'refused', retryAfterSeconds: 1 + (this.#refusals++ % spread), why };
  }

  /** A place beyond the limit, which is freed once the saga has started. */
  #overduePlace(): Place {
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#overdue--;
      this.#letOverdueIn(performance.now());
    };
    return { waitMs: 0, leave, leaveLater: leave };
  }

  /** A place that is already counted in `#inUse`. */
  #place(waitMs: number): Place {
    const since = performance.now();
    let left = false;
    const leave = (recorded: boolean, undecided = false) => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      const [awaited, inUse] = [this.#queue.size > 0, this.#inUse];
      this.#inUse--;
      if (recorded) this.#limit.record({ ms: performance.now() - since, undecided, inUse, awaited });
      this.#letNextIn();
    };
    let timer = setTimeout(() => leave(true, true), this.#limit.maxHoldMs).unref();
    return {
      waitMs,
      leave: (decided) => leave(decided),
      leaveLater: () => {
        clearTimeout(timer);
        if (!left) timer = setTimeout(() => leave(false), this.#limit.meanMs).unref();
      },
    };
  }
}
