/** The two books behind the face, and the way to move money: every act of a call goes through here. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Journaled } from '../journal.js';
import type { MoneyRequest, Outcome } from '../payments/facts.js';
import type { Processor } from '../payments/processor.js';
import type { Making } from '../payments/replies.js';
import { StripeBooks } from './books.js';
import { busy, failed, NoAnswer } from './errors.js';
import { type Fact, fact } from './facts.js';
import { Payments } from './payments.js';

/** One call that acts. It may run more than once with the same id, and then makes nothing twice. */
export interface Execution {
  readonly id: string;
  /** Set by a scripted fault: what was asked for is done, and the answer does not arrive. */
  answerLost: boolean;
}

export class Ledger {
  private listener: (id: string) => void = () => undefined;

  private constructor(
    private readonly kept: Journaled<Fact, void, StripeBooks>,
    readonly processor: Processor,
    /** Aborts slow calls when the sandbox stops. */
    readonly stopping: AbortSignal,
  ) {}

  static async open(home: string, processor: Processor, stopping: AbortSignal): Promise<Ledger> {
    const path = join(home, 'stripe.jsonl');
    return new Ledger(await Journaled.open(path, fact.parse, () => new StripeBooks()), processor, stopping);
  }

  get writable(): boolean {
    return this.kept.writable;
  }

  get asked(): StripeBooks {
    return this.kept.books;
  }

  get payments(): Payments {
    return new Payments(this.kept.books, this.processor.books);
  }

  /** Calls the listener when an intent was made, tried, or cancelled here, once that is on disk. */
  onIntent(listener: (id: string) => void): void {
    this.listener = listener;
  }

  async post(posted: Fact): Promise<void> {
    await this.kept.post(posted);
    if (posted.type === 'intent') this.listener(posted.intent.id);
    if (posted.type === 'attempt' || posted.type === 'cancelled') this.listener(posted.intent);
  }

  /** Resolves when everything that the books show now is on disk. */
  async settled(): Promise<void> {
    await Promise.all([this.kept.settled(), this.processor.settled()]);
  }

  /** Asks the processor. Throws what the client gets if the card scripts a fault. */
  async move(execution: Execution, key: string, request: MoneyRequest, making?: Making): Promise<Outcome> {
    const reply = await this.processor.submit(key, request, this.stopping, making);
    switch (reply.kind) {
      case 'answer':
        return reply.outcome;
      case 'lost': {
        const outcome = this.processor.books.operation(key)?.outcome;
        if (!outcome) throw new NoAnswer('lost');
        execution.answerLost = true;
        return outcome;
      }
      case 'timeout':
        throw new NoAnswer('timeout');
      case 'unavailable':
        throw busy();
      case 'down':
        throw failed();
      case 'key_reused':
      case 'unknown_authorization':
        throw new Error(`the processor answered ${reply.kind} to ${key}`);
    }
  }

  close(): Promise<void> {
    return this.kept.close();
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 24 letters and digits, as in Stripe's ids. */
export function newId(): string {
  return Array.from({ length: 24 }, () => letters[randomInt(letters.length)]).join('');
}
