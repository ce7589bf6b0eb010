/**
 * The card processor: decides money calls by its rules and by the script in the card's token. It decides and books in one
 * synchronous step, so any number of calls with one key act once. It answers when the decision is on disk.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Journaled } from '../journal.js';
import { type Authorization, Books } from './books.js';
import { type Change, ChangeFeed, type ChangeListener } from './changes.js';
import { isUndecided, viewOfDispute } from './disputes.js';
import { type Fact, fact, type MoneyRequest, type Outcome } from './facts.js';
import { type Page, pageOf, type Window } from './listing.js';
import { type RefundStatus, refundStatus } from './refunds.js';
import type { DisputeReply, Found, HandReply, Making, Reply } from './replies.js';
import { type CloseOutcome, type DisputeRequest, decide, decideClose, decideDispute } from './rules.js';
import { behaviourOf, faultOf, isForgotten } from './tokens.js';
import { type AuthorizationView, viewOf } from './views.js';

export class Processor {
  private readonly feed = new ChangeFeed();
  /** Slow calls in progress, by key. */
  private readonly inFlight = new Map<string, { readonly request: MoneyRequest; count: number }>();

  private constructor(private readonly kept: Journaled<Fact, readonly Change[], Books>) {
    const nowMs = Date.now();
    for (const { changes } of this.books.list()) this.feed.announce(changes.filter(({ at }) => at > nowMs));
  }

  static async open(home: string): Promise<Processor> {
    return new Processor(await Journaled.open(join(home, 'payments.jsonl'), fact.parse, () => new Books()));
  }

  /**
   * Calls the listener at each change from now on, once it is on disk.
   * @returns ends the listening
   */
  onChange(listener: ChangeListener): () => void {
    return this.feed.listen(listener);
  }

  /** Whether money calls can be booked now. */
  get writable(): boolean {
    return this.kept.writable;
  }

  /** They may be ahead of the disk until `settled`. */
  get books(): Books {
    return this.kept.books;
  }

  /**
   * Handles a money call. Applies it, unless its key was applied before or the card's script prevents it.
   * @param signal aborts a slow call before it acts, when the sandbox stops
   */
  async submit(key: string, request: MoneyRequest, signal: AbortSignal, making: Making = {}): Promise<Reply> {
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
    const decides = !operation?.outcome && (fault === null || fault === 'lost');
    if (decides) making.check?.();
    const decidedAt = Date.now();
    const outcome = decides
      ? decide(this.books, request, decidedAt, making.authorizationId)
      : (operation?.outcome ?? null);
    await this.book({
      key,
      at: arrivedAt,
      ...(!operation && { request }),
      ...(fault && { fault: true }),
      ...(decides && outcome && { outcome, ...(decidedAt > arrivedAt && { decidedAt }) }),
    });
    if (fault) return { kind: fault };
    if (!outcome) throw new Error(`operation ${key} has no outcome`);
    return { kind: 'answer', outcome };
  }

  /**
   * Moves money as somebody does in the processor's own pages: without a key, and without the faults that the card scripts
   * for calls. Declines, and what becomes of a refund, are the card's and the same.
   */
  async byHand(request: MoneyRequest): Promise<HandReply<Outcome>> {
    if (request.kind !== 'authorize' && this.tokenOf(request.authorizationId) === null) return { kind: 'unknown' };
    const at = Date.now();
    const outcome = decide(this.books, request, at);
    if (outcome.kind === 'refused') return { kind: 'refused', code: outcome.code };
    await this.book({ type: 'by_hand', at, request, outcome });
    return { kind: 'done', value: outcome };
  }

  /** Opens a dispute about a captured payment. */
  async openDispute(request: DisputeRequest): Promise<DisputeReply> {
    const authorization = this.books.authorization(request.authorizationId);
    if (!authorization) return { kind: 'unknown' };
    const at = Date.now();
    const opened = decideDispute(authorization, request, at);
    if ('refused' in opened) return { kind: 'refused', code: opened.refused };
    await this.book({ type: 'dispute_opened', at, ...opened });
    return this.disputeReply(opened.disputeId);
  }

  /** The bank asks for another amount. */
  async changeDispute(disputeId: string, amount: number): Promise<DisputeReply> {
    const dispute = this.books.dispute(disputeId);
    if (!dispute) return { kind: 'unknown' };
    if (!isUndecided(dispute)) return { kind: 'refused', code: 'already_closed' };
    await this.book({ type: 'dispute_changed', at: Date.now(), disputeId, amount });
    return this.disputeReply(disputeId);
  }

  /** The bank's decision. The same decision again is no error. */
  async closeDispute(disputeId: string, outcome: CloseOutcome): Promise<DisputeReply> {
    const dispute = this.books.dispute(disputeId);
    if (!dispute) return { kind: 'unknown' };
    const decided = decideClose(dispute, outcome);
    if ('refused' in decided) return { kind: 'refused', code: decided.refused };
    if (decided.status === dispute.status) await this.kept.settled();
    else await this.book({ type: 'dispute_closed', at: Date.now(), disputeId, status: decided.status });
    return this.disputeReply(disputeId);
  }

  /** How a refund stands now; null if there is none. */
  refundStatus(refundId: string): RefundStatus | null {
    const refund = this.books.refund(refundId);
    return refund ? refundStatus(refund, Date.now()) : null;
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
    const nowMs = Date.now();
    const view = authorization && isKept(authorization, nowMs) ? viewOf(authorization, nowMs) : null;
    await this.kept.settled();
    return view;
  }

  async list(reference?: string): Promise<readonly AuthorizationView[]> {
    const nowMs = Date.now();
    const views = this.books.list(reference).map((authorization) => viewOf(authorization, nowMs));
    await this.kept.settled();
    return views;
  }

  async page(window: Window): Promise<Page> {
    const nowMs = Date.now();
    const kept = this.books.list(window.reference).filter((authorization) => isKept(authorization, nowMs));
    const page = pageOf(kept, window, nowMs);
    await this.kept.settled();
    return page;
  }

  /** What has changed after an instant (in ms since 1970) and until now, oldest first. */
  async changes(afterMs: number): Promise<readonly Change[]> {
    const nowMs = Date.now();
    const changes = this.books
      .list()
      .flatMap((authorization) => authorization.changes.filter(({ at }) => at > afterMs && at <= nowMs))
      .sort((one, other) => one.at - other.at);
    await this.kept.settled();
    return changes;
  }

  /** Resolves when everything that the books show now is on disk. */
  settled(): Promise<void> {
    return this.kept.settled();
  }

  close(): Promise<void> {
    this.feed.close();
    return this.kept.close();
  }

  private async book(fact: Fact): Promise<void> {
    this.feed.announce(await this.kept.post(fact));
  }

  private disputeReply(disputeId: string): DisputeReply {
    const dispute = this.books.dispute(disputeId);
    if (!dispute) throw new Error(`dispute ${disputeId} does not exist`);
    return { kind: 'done', value: { authorizationId: dispute.authorizationId, ...viewOfDispute(dispute) } };
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
}

/** Whether the books still have it: a card may script that they lose it. */
function isKept({ token, changes }: Authorization, nowMs: number): boolean {
  return !isForgotten(token, 'payment', changes[0]?.at ?? 0, nowMs);
}
