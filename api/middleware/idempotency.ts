/** Every POST may be repeated: the same Idempotency-Key gives the same answer and acts once. */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Sql } from '../../db/client.js';
import {
  type CallIds,
  claim,
  forget,
  keepAnswer,
  type Lease,
  letGo,
  type StoredAnswer,
  signOff,
  signOfLife,
} from '../../db/idempotency.js';
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
const keepTries = 30;
const keepRetryMs = 100;

export class IdempotentCalls {
  /** Leases of calls that are running here. */
  readonly #running = new Set<string>();
  /** Leases that may be ours in the database though nothing runs: Postgres was away when they were to be given back. */
  readonly #stranded = new Map<string, Lease>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly processId: string,
    private readonly log: Logger,
  ) {}

  /** Runs `act` unless the key says that it has run or is running. */
  async run(request: KeyedRequest, act: (ids: CallIds, resumed: boolean) => Promise<Rendered>): Promise<KeyedOutcome> {
    const lease: Lease = { apiKeyId: request.apiKeyId, key: request.key, processId: this.processId };
    const claimed = await claim(this.sql, { ...request, processId: this.processId }).catch((error: unknown) => {
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
      await letGo(this.sql, lease).catch(() => this.#strand(lease));
      throw error;
    } finally {
      this.#running.delete(name);
    }
  }

  /** Keeps the answer before it is sent; what is not to be kept frees the key. */
  async #settle(lease: Lease, rendered: Rendered, resumed: boolean): Promise<void> {
    if (rendered.status >= 500) return letGo(this.sql, lease).catch(() => this.#strand(lease));
    if (rendered.code !== null && notKept.has(rendered.code))
      return (resumed ? letGo : forget)(this.sql, lease).catch(() => this.#strand(lease));
    const { status, headers, repeatedBody } = rendered;
    for (let attempt = 1; ; attempt++) {
      try {
        return await keepAnswer(this.sql, lease, { status, headers, body: repeatedBody });
      } catch (error) {
        // Postgres may be on its way back; without the stored answer the promise of the key could not be held.
        if (!isUnavailable(error) || attempt >= keepTries) throw error;
        await new Promise((resolve) => setTimeout(resolve, keepRetryMs));
      }
    }
  }

  #strand(lease: Lease): void {
    this.#stranded.set(nameOf(lease), lease);
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
    await signOff(this.sql, this.processId).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    try {
      await signOfLife(this.sql, this.processId);
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
