/** Makes every POST safe to repeat: the same Idempotency-Key gets the same answer and acts once. */
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

/** An answer as it is sent. A repeated call gets `repeatedBody`. */
export interface Rendered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly repeatedBody: string;
  readonly code: RefusalCode | null;
  /** For a refusal that is not stored: whether a repeated call resumes with the same ids. */
  readonly resumable?: boolean;
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

/** Refusals of the request itself: nothing was done, and the client may send it again, corrected, under the same key. */
const notStored: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'validation_failed',
  'unknown_sku',
  'unknown_location',
  'unknown_supplier',
  'same_location',
  'payment_method_required',
  'price_not_allowed',
  'total_mismatch',
]);

const signOfLifeEveryMs = 1000;
/** An answer that cannot be stored within this time is not sent: the client gets 503 and calls again. */
const storeWithinMs = 3000;
const storeRetryMs = 100;
/** How long a client that gets an error waits for its key to be freed; after that it is freed in the background. */
const letGoWithinMs = 250;
const signOffWithinMs = 1000;

/**
 * Runs each call under a lease on its key. A lease belongs to a process id; if the process gives no sign of life, any other
 * may take the lease over. A statement about a lease that timed out may still run at any later time. After that, new calls
 * run under a new id, and the old id is signed off once no call runs under it: the late statement then acts for a dead
 * process.
 */
export class IdempotentCalls {
  #processId: string;
  /** Whether a statement about a lease of the current id may still be in flight. */
  #inDoubt = false;
  /** How many calls run here under each id. The current id is always among them. */
  readonly #callsOf: Map<string, number>;
  /** Names of the leases whose calls run here. */
  readonly #running = new Set<string>();
  /** Leases that Postgres may still hold for us although no call runs: it was down when we tried to free them. */
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

  /** Runs `act`, unless a call with this key has run or is running. */
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

  /** Stores the answer before it is sent, or frees the key if the answer must not be stored. */
  async #settle(lease: Lease, rendered: Rendered, resumed: boolean): Promise<void> {
    if (rendered.status >= 500) return this.#giveBack(letGo, lease);
    // Time lifts it. Without a payment nothing was done, except that an order may have been opened.
    if (rendered.code === 'customer_limit_reached') return this.#giveBack(rendered.resumable ? letGo : forget, lease);
    if (rendered.code !== null && notStored.has(rendered.code)) return this.#giveBack(resumed ? letGo : forget, lease);
    const { status, headers, repeatedBody } = rendered;
    for (const until = performance.now() + storeWithinMs; ; ) {
      try {
        return await keepAnswer(this.sql, lease, { status, headers, body: repeatedBody });
      } catch (error) {
        // Postgres may be restarting. Without a stored answer, a repeated call could not get the same one.
        if (!isUnavailable(error) || performance.now() > until) throw error;
        await sleep(storeRetryMs);
      }
    }
  }

  /** Returns once the key is free, or after `letGoWithinMs` if Postgres is slow. */
  async #giveBack(by: typeof letGo, lease: Lease): Promise<void> {
    const given = by(this.sql, lease).catch(() => this.#strand(lease));
    await Promise.race([given, sleep(letGoWithinMs, undefined, { ref: false })]);
  }

  /** Records that a statement about this lease has an unknown outcome. */
  #strand(lease: Lease): void {
    this.#stranded.set(nameOf(lease), lease);
    this.#inDoubt ||= lease.processId === this.#processId;
  }

  /** Switches to a new id, once Postgres has its sign of life: else another process might take over its calls. */
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

  /** Starts to give signs of life. Never throws: while Postgres is down it keeps trying. */
  async start(): Promise<void> {
    await this.#beat();
    const again = () => {
      this.#timer = setTimeout(() => void this.#beat().then(again), signOfLifeEveryMs);
      this.#timer.unref();
    };
    again();
  }

  /** Signs off, so that others may take over the leases at once. Call it when no call is running any more. */
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
