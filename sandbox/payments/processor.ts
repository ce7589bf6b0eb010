/**
 * The card processor: decides money calls by its rules and by the script in the card's token. It decides and books in one
 * synchronous step, so any number of calls with one key act once. It answers when the decision is on disk.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Journaled } from '../journal.js';
import { type Authorization, type AuthorizationView, Books, type Operation, viewOf } from './books.js';
import { type Fact, fact, type MoneyRequest, type Outcome } from './facts.js';
import { behaviourOf, faultOf } from './tokens.js';

/** The reply to a money call. `timeout`: none, however long the caller waits. `lost`: a broken connection. */
export type Reply =
  | { readonly kind: 'answer'; readonly outcome: Outcome }
  | { readonly kind: 'timeout' | 'lost' | 'down' | 'unavailable' }
  | { readonly kind: 'key_reused' | 'unknown_authorization' };

export type Found =
  | { readonly kind: 'decided'; readonly request: MoneyRequest; readonly outcome: Outcome }
  /** A call is in progress: neither yes nor no. */
  | { readonly kind: 'in_progress' }
  | { readonly kind: 'unknown' };

export class Processor {
  /** Slow calls in progress, by key. */
  private readonly inFlight = new Map<string, { readonly request: MoneyRequest; count: number }>();

  private constructor(private readonly kept: Journaled<Fact, Operation, Books>) {}

  static async open(home: string): Promise<Processor> {
    return new Processor(await Journaled.open(join(home, 'payments.jsonl'), fact.parse, () => new Books()));
  }

  /** Whether money calls can be booked now. */
  get writable(): boolean {
    return this.kept.writable;
  }

  private get books(): Books {
    return this.kept.books;
  }

  /**
   * Handles a money call. Applies it, unless its key was applied before or the card's script prevents it.
   * @param signal aborts a slow call before it acts, when the sandbox stops
   */
  async submit(key: string, request: MoneyRequest, signal: AbortSignal): Promise<Reply> {
    const arrivedAt = Date.now();
    const earlier = this.books.operation(key)?.request ?? this.inFlight.get(key)?.request;
    if (earlier && !isDeepStrictEqual(earlier, request)) return { kind: 'key_reused' };
    const token = request.kind === 'authorize' ? request.token : this.tokenOf(request.authorizationId);
    if (token === null) return { kind: 'unknown_authorization' };
    const behaviour = behaviourOf(token);
    if (behaviour.kind === 'slow' && !(await this.delay(key, request, behaviour.delayMs, signal)))
      return { kind: 'lost' };

    const operation = this.books.operation(key);
    const fault = faultOf(behaviour, request.kind, operation?.faults ?? 0);
    const mayAct = fault === null || fault === 'lost';
    const booked = await this.kept.post({
      key,
      at: arrivedAt,
      ...(!operation && { request }),
      ...(fault && { fault: true }),
      ...(mayAct && !operation?.outcome && { outcome: this.decide(request) }),
    });
    if (fault) return { kind: fault };
    if (!booked.outcome) throw new Error(`operation ${key} has no outcome`);
    return { kind: 'answer', outcome: booked.outcome };
  }

  /** The outcome of the operation with this key. It is definite: a later call is a new call. */
  async find(key: string): Promise<Found> {
    const operation = this.books.operation(key);
    const busy = this.inFlight.has(key);
    await this.kept.settled();
    if (operation?.outcome) return { kind: 'decided', request: operation.request, outcome: operation.outcome };
    return { kind: busy ? 'in_progress' : 'unknown' };
  }

  async view(authorizationId: string): Promise<AuthorizationView | null> {
    const authorization = this.books.authorization(authorizationId);
    const view = authorization ? viewOf(authorization) : null;
    await this.kept.settled();
    return view;
  }

  async list(reference?: string): Promise<readonly AuthorizationView[]> {
    const views = this.books.list(reference).map(viewOf);
    await this.kept.settled();
    return views;
  }

  close(): Promise<void> {
    return this.kept.close();
  }

  private tokenOf(authorizationId: string): string | null {
    return this.books.authorization(authorizationId)?.token ?? null;
  }

  /** Waits, and counts the call as in flight meanwhile. False if the wait was aborted. */
  private async delay(key: string, request: MoneyRequest, delayMs: number, signal: AbortSignal): Promise<boolean> {
    const calls = this.inFlight.get(key) ?? { request, count: 0 };
    calls.count++;
    this.inFlight.set(key, calls);
    try {
      await sleep(delayMs, undefined, { signal });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      calls.count--;
      if (calls.count === 0) this.inFlight.delete(key);
    }
  }

  private decide(request: MoneyRequest): Outcome {
    if (request.kind === 'authorize') {
      const authorizationId = newId('auth');
      const behaviour = behaviourOf(request.token);
      if (behaviour.kind !== 'declined' || behaviour.at !== 'authorize') return { kind: 'authorized', authorizationId };
      return { kind: 'declined', authorizationId, declineCode: behaviour.declineCode };
    }
    const authorization = this.books.authorization(request.authorizationId);
    if (!authorization) throw new Error(`authorization ${request.authorizationId} does not exist`);
    switch (request.kind) {
      case 'capture':
        return capture(authorization, request.amount);
      case 'void':
        return voidAuthorization(authorization);
      case 'refund':
        return refund(authorization, request.amount);
    }
  }
}

/** Captures once, in full, and only an authorization that is open. */
function capture({ authorizationId, token, status, amount }: Authorization, asked: number): Outcome {
  if (status === 'captured') return { kind: 'refused', code: 'already_captured' };
  if (status === 'voided') return { kind: 'refused', code: 'already_voided' };
  if (status === 'declined') return { kind: 'refused', code: 'not_authorized' };
  if (asked !== amount) return { kind: 'refused', code: 'amount_mismatch' };
  const behaviour = behaviourOf(token);
  if (behaviour.kind === 'declined' && behaviour.at === 'capture')
    return { kind: 'declined', authorizationId, declineCode: behaviour.declineCode };
  return { kind: 'captured' };
}

/** Never voids after the capture. A void authorization stays void. */
function voidAuthorization({ status }: Authorization): Outcome {
  if (status === 'captured') return { kind: 'refused', code: 'already_captured' };
  if (status === 'declined') return { kind: 'refused', code: 'not_authorized' };
  return { kind: 'voided' };
}

/** Refunds at most what was captured, over all refunds. */
function refund({ status, captured, refunded }: Authorization, asked: number): Outcome {
  if (status !== 'captured') return { kind: 'refused', code: 'not_captured' };
  if (refunded + asked > captured) return { kind: 'refused', code: 'over_refund' };
  return { kind: 'refunded', refundId: newId('re') };
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('base64url')}`;
}
