/** Every POST may be repeated: the same Idempotency-Key gives the same answer and acts once. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  type CallIds,
  claim,
  forget,
  isKnownKey,
  keepAnswer,
  type Lease,
  letGo,
  type StoredAnswer,
  signOff,
  signOfLife,
} from '../../db/access/idempotency.js';
import type { Sql } from '../../db/postgres/client.js';
import type { RefusalCode } from '../../domain/errors.js';
import { isUnavailable } from './problem.js';

/** An answer as it goes out. `repeatedBody` is what a repetition gets. */
export interface Rendered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly repeatedBody: string;
  readonly code: RefusalCode | null;
}

export interface KeyedRequest {
  readonly apiKeyId: string;
  readonly key: string;
  readonly requestHash: string;
  readonly freshIds: CallIds;
}

export type KeyedOutcome =
  | { readonly kind: 'rendered'; readonly rendered: Rendered }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'refused'; readonly code: 'idempotency_key_reused' | 'request_in_progress' };

/** Refusals that found the request itself wrong: nothing was done, and it may be sent again put right. */
const notKept: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'validation_failed',
  'unknown_sku',
  'unknown_location',
  'unknown_supplier',
  'same_location',
  'payment_method_required',
]);

const signOfLifeEveryMs = 1000;
/** An answer that could not be kept by then is not sent: the client gets 503 and calls again. */
const keepWithinMs = 3000;
const keepRetryMs = 100;
/** What a client that gets an error waits for its key to be free again; the rest is done behind its back. */
const letGoWithinMs = 250;
const signOffWithinMs = 1000;

/**
 * Leases are held in the name of a process id, and a lease whose id gives no sign of life is anybody's. A statement about a
 * lease that was not answered may still run, at any later time. So new calls are then made under a new id, and the
 * old one is signed off as soon as no call runs under it: whatever the late statement does, it does for a dead process.
 */
export class IdempotentCalls {
  #processId: string;
  /** Whether a statement about a lease under the present id may still be on its way. */
  #inDoubt = false;
  /** Calls that run here, by the id that they run under. The present id is always among them. */
  readonly #callsOf: Map<string, number>;
  /** Leases of calls that are running here. */
  readonly #running = new Set<string>();
  /** Leases that may be ours in the database though nothing runs: Postgres was away when they were to be given back. */
  readonly #stranded = new Map<string, Lease>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly newProcessId: () => string,
    private readonly log: Logger,
  ) {
    this.#processId = newProcessId();
    this.#callsOf = new Map([[this.#processId, 0]]);
  }

  /** Whether an earlier call with this key may have acted. */
  isKnown({ apiKeyId, key }: Pick<KeyedRequest, 'apiKeyId' | 'key'>): Promise<boolean> {
    return isKnownKey(this.sql, apiKeyId, key);
  }

  /** Runs `act` unless the key says that it has run or is running. */
  async run(request: KeyedRequest, act: (ids: CallIds, resumed: boolean) => Promise<Rendered>): Promise<KeyedOutcome> {
    const lease: Lease = { apiKeyId: request.apiKeyId, key: request.key, processId: this.#processId };
    this.#count(lease.processId, 1);
    try {
      return await this.#runUnder(lease, request, act);
    } finally {
      this.#count(lease.processId, -1);
    }
  }

  async #runUnder(
    lease: Lease,
    request: KeyedRequest,
    act: (ids: CallIds, resumed: boolean) => Promise<Rendered>,
  ): Promise<KeyedOutcome> {
    const claimed = await claim(this.sql, { ...request, processId: lease.processId }).catch((error: unknown) => {
      this.#strand(lease);
      throw error;
    });
    if (claimed.kind === 'answered') return claimed;
    if (claimed.kind === 'reused') return { kind: 'refused', code: 'idempotency_key_reused' };
    if (claimed.kind === 'in_progress') return { kind: 'refused', code: 'request_in_progress' };

    const name = nameOf(lease);
    this.#running.add(name);
    try {
      const rendered = await act(claimed.ids, claimed.resumed);
      await this.#settle(lease, rendered, claimed.resumed);
      return { kind: 'rendered', rendered };
    } catch (error) {
      await this.#giveBack(letGo, lease);
      throw error;
    } finally {
      this.#running.delete(name);
    }
  }

  /** Keeps the answer before it is sent; what is not to be kept frees the key. */
  async #settle(lease: Lease, rendered: Rendered, resumed: boolean): Promise<void> {
    if (rendered.status >= 500) return this.#giveBack(letGo, lease);
    if (rendered.code !== null && notKept.has(rendered.code)) return this.#giveBack(resumed ? letGo : forget, lease);
    const { status, headers, repeatedBody } = rendered;
    for (const until = performance.now() + keepWithinMs; ; ) {
      try {
        return await keepAnswer(this.sql, lease, { status, headers, body: repeatedBody });
      } catch (error) {
        // Postgres may be on its way back; without the stored answer the promise of the key could not be held.
        if (!isUnavailable(error) || performance.now() > until) throw error;
        await sleep(keepRetryMs);
      }
    }
  }

  /** Returns when the key is free or, where Postgres is slow to say so, after a moment. */
  async #giveBack(by: typeof letGo, lease: Lease): Promise<void> {
    const given = by(this.sql, lease).catch(() => this.#strand(lease));
    await Promise.race([given, sleep(letGoWithinMs, undefined, { ref: false })]);
  }

  /** What became of a statement about this lease is unknown. */
  #strand(lease: Lease): void {
    this.#stranded.set(nameOf(lease), lease);
    this.#inDoubt ||= lease.processId === this.#processId;
  }

  /** Goes on under a new id, once the database knows that it lives: nobody may take its calls over. */
  async #takeNewId(): Promise<void> {
    const id = this.newProcessId();
    await signOfLife(this.sql, id);
    this.#callsOf.set(id, 0);
    this.#processId = id;
    this.#inDoubt = false;
  }

  #count(processId: string, calls: 1 | -1): void {
    this.#callsOf.set(processId, (this.#callsOf.get(processId) ?? 0) + calls);
  }

  /** Begins to give signs of life. Never throws: without Postgres it goes on trying. */
  async start(): Promise<void> {
    await this.#beat();
    const again = () => {
      this.#timer = setTimeout(() => void this.#beat().then(again), signOfLifeEveryMs);
      this.#timer.unref();
    };
    again();
  }

  /** To be called when no call is running any more: what this process held may be taken over at once. */
  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const off = [...this.#callsOf.keys()].map((id) => signOff(this.sql, id).catch(() => undefined));
    await Promise.race([Promise.all(off), sleep(signOffWithinMs)]);
  }

  async #beat(): Promise<void> {
    try {
      if (this.#inDoubt) await this.#takeNewId();
      for (const [id, calls] of this.#callsOf)
        if (calls > 0 || id === this.#processId) await signOfLife(this.sql, id);
        else {
          await signOff(this.sql, id);
          this.#callsOf.delete(id);
        }
      for (const [name, lease] of this.#stranded) {
        if (this.#running.has(name)) continue;
        await letGo(this.sql, lease);
        this.#stranded.delete(name);
      }
    } catch (error) {
      this.log.warn({ err: error }, 'could not give a sign of life');
    }
  }
}

const nameOf = (lease: Lease) => JSON.stringify([lease.apiKeyId, lease.key]);

/** SHA-256 over method, path and body; the order of a body's members does not matter. */
export function requestHash(method: string, path: string, body: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([method, path, canonical(body)]))
    .digest('hex');
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  );
}
