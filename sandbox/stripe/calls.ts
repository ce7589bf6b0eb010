/**
 * Stripe's idempotency (v1): a key keeps status and body of its first call once that has begun to act, failures too. It
 * does not keep calls that were wrong from the start, and is forgotten after a day.
 */
import { createHash } from 'node:crypto';
import type { Request } from 'express';
import type { KeyRecord } from './books.js';
import { invalid, keyInUse, missing, NoAnswer, otherParameters, StripeError } from './errors.js';
import type { CallFaults } from './faults.js';
import { type Execution, type Ledger, newId } from './ledger.js';
import { operationKeys } from './payments.js';
import type { Json } from './views.js';

const keptMs = 24 * 3_600_000;

export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly requestId: string;
  /** The request whose answer is repeated; null if this one has acted. */
  readonly original: string | null;
}

/** What a call does. It may run again with the same execution. */
export type Act = (execution: Execution) => Promise<Json>;

export class Calls {
  /** Keys whose calls act now. */
  private readonly acting = new Set<string>();

  constructor(
    private readonly ledger: Ledger,
    private readonly faults: CallFaults,
  ) {}

  /** Throws StripeError, or NoAnswer. */
  async answer(req: Request, requestId: string, act: Act): Promise<Answer> {
    const key = req.get('idempotency-key') ?? `none_${newId()}`;
    if (key.length > 255 || key === '') throw invalid('Idempotency keys have 1 to 255 characters.');
    const request = createHash('sha256')
      .update(JSON.stringify([req.path, req.body ?? {}]))
      .digest('hex');
    if (this.acting.has(key)) throw keyInUse();
    this.acting.add(key);
    try {
      const record = this.recordOf(key);
      if (record && record.request !== request) throw otherParameters(key);
      if (record?.answer) return await this.repeat(record, record.answer, requestId);
      return await this.perform(key, record, request, requestId, this.faults.wrap(req.path, act));
    } finally {
      this.acting.delete(key);
    }
  }

  private recordOf(key: string): KeyRecord | undefined {
    const record = this.ledger.asked.keys.get(key);
    return record && record.at > Date.now() - keptMs ? record : undefined;
  }

  /** The processor sees repeated calls too: the card may script that more than one answer is lost. */
  private async repeat(
    { execution, requestId: original }: KeyRecord,
    answer: { readonly status: number; readonly body: Json },
    requestId: string,
  ): Promise<Answer> {
    const { processor, stopping } = this.ledger;
    for (const operation of operationKeys(execution)) {
      const request = processor.books.operation(operation)?.request;
      if (!request) continue;
      const { kind } = await processor.submit(operation, request, stopping);
      if (kind === 'lost' || kind === 'timeout') throw new NoAnswer(kind);
    }
    await this.ledger.settled();
    return { ...answer, requestId, original };
  }

  private async perform(
    key: string,
    record: KeyRecord | undefined,
    request: string,
    requestId: string,
    act: Act,
  ): Promise<Answer> {
    const execution: Execution = { id: record?.execution ?? newId(), answerLost: false };
    if (!record)
      await this.ledger.post({ type: 'key_begun', at: Date.now(), key, request, execution: execution.id, requestId });
    const { status, body } = await this.resultOf(execution, act, key, record === undefined);
    await this.ledger.post({ type: 'key_answered', at: Date.now(), key, execution: execution.id, status, body });
    await this.ledger.settled();
    if (execution.answerLost) throw new NoAnswer('lost');
    return { status, body, requestId, original: null };
  }

  private async resultOf(execution: Execution, act: Act, key: string, first: boolean) {
    try {
      return { status: 200, body: await act(execution) };
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      if (error.kept) return { status: error.status, body: { error: error.body } };
      // Nothing was done, so the key is free again; not if the call is to be repeated with it.
      if (first && !error.shouldRetry) await this.ledger.post({ type: 'keys_expired', at: Date.now(), key });
      throw error;
    }
  }

  /** Forgets a key, or all, as happens after a day: the same key is a new request then. */
  async expire(key: string | null): Promise<void> {
    if (key !== null && !this.ledger.asked.keys.has(key)) throw missing('idempotency key', key, 'key');
    await this.ledger.post({ type: 'keys_expired', at: Date.now(), key });
  }
}
