/**
 * Where wishes about a transfer arrive. Updates and signals only put a wish on the desk; the saga takes them one at a time,
 * in the order of their coming, and answers them.
 */
import { condition, defineSignal, defineUpdate, log, setHandler } from '@temporalio/workflow';
import { type Refusal, refusal } from '../../domain/errors.js';
import { detailOf, refusalOf } from '../../domain/refusals.js';
import { canEndAs, type TransferStatus } from '../../domain/transfers/states.js';
import type { TransferState } from '../../domain/transfers/steps.js';
import type { CancelRequest } from '../order/contract.js';
import { asFailure, signalCaller } from '../order/inbox.js';
import { bad, bringsCardNumber, type ParsedSignal, parseCancelSignal } from '../order/signals.js';
import { FirstAnswer } from '../shared/first-answer.js';
import { outliveCancellation } from '../shared/waiting.js';
import {
  type ReceiveRequest,
  type TransferAnswer,
  type TransferInput,
  transferSignals,
  transferUpdates,
} from './contract.js';
import { parseReceiveSignal } from './signals.js';

export type TransferWish = (
  | { readonly kind: 'receive'; readonly request: ReceiveRequest }
  | { readonly kind: 'cancel'; readonly request: CancelRequest }
) & {
  /** Signals have nobody who waits for an answer: what is refused is logged. */
  readonly bySignal: boolean;
  answer?: TransferAnswer;
};

export class TransferDesk {
  /** The transfer as the saga knows it; wishes are judged by it when they arrive. */
  state: TransferState = { status: 'pending', received: null };
  /** For whoever asked for the transfer. */
  readonly moved = new FirstAnswer<TransferAnswer>();
  private readonly wishes: TransferWish[] = [];

  constructor(private readonly input: TransferInput) {
    setHandler(defineUpdate<TransferAnswer>(transferUpdates.moved), () => this.moved.given);
    this.onUpdate<ReceiveRequest>(transferUpdates.receive, (request) => ({
      kind: 'receive',
      request,
      bySignal: false,
    }));
    this.onUpdate<CancelRequest>(transferUpdates.cancel, (request) => ({ kind: 'cancel', request, bySignal: false }));
    this.onSignal(transferSignals.receive, parseReceiveSignal, (arrived) => ({
      kind: 'receive',
      request: { ...arrived, caller: signalCaller() },
      bySignal: true,
    }));
    this.onSignal(transferSignals.cancel, parseCancelSignal, (reason) => ({
      kind: 'cancel',
      request: { reason, caller: signalCaller() },
      bySignal: true,
    }));
  }

  /** Puts a wish down that came from elsewhere (the workflow's own cancellation). */
  put(wish: TransferWish): void {
    this.wishes.push(wish);
  }

  async waitForWish(): Promise<void> {
    await condition(() => this.hasWish);
  }

  get hasWish(): boolean {
    return this.wishes.length > 0;
  }

  takeWish(): TransferWish | undefined {
    return this.wishes.shift();
  }

  /** Whether somebody has asked to cancel and is still waiting for his turn. */
  get cancelWanted(): boolean {
    return this.wishes.some((wish) => wish.kind === 'cancel');
  }

  /** Why a wish cannot be granted, now or later; null where it can be, or is granted already. */
  refusalOf(wish: TransferWish): Refusal | null {
    const { status, received } = this.state;
    if (wish.kind === 'cancel') return canEndAs(status, 'cancelled') ? null : cannotBecome(status, 'cancelled');
    const { quantity: sent, mode } = this.input;
    const arrived = wish.request.quantity ?? sent;
    if (arrived > sent) return overReceived(sent);
    if (mode === 'immediate' || !canEndAs(status, 'completed')) return cannotBecome(status, 'completed');
    return status === 'completed' && received !== arrived ? cannotBecome(status, 'completed') : null;
  }

  private onUpdate<Request>(name: string, wishOf: (request: Request) => TransferWish): void {
    setHandler(
      defineUpdate<TransferAnswer, [Request]>(name),
      async (request: Request) => {
        const wish = wishOf(request);
        this.wishes.push(wish);
        const isAnswered = () => wish.answer !== undefined;
        try {
          await condition(isAnswered);
        } catch (error) {
          await outliveCancellation(error, isAnswered);
        }
        return wish.answer as TransferAnswer;
      },
      {
        validator: (request: Request) => {
          const why = this.refusalOf(wishOf(request));
          if (why !== null) throw asFailure(why);
        },
      },
    );
  }

  private onSignal<T>(
    name: string,
    parse: (payload: unknown) => ParsedSignal<T>,
    wishOf: (value: T) => TransferWish,
  ): void {
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      const parsed = bringsCardNumber(payload) ? bad('holds what looks like a card number') : parse(payload);
      if (parsed.kind === 'ok') this.wishes.push(wishOf(parsed.value));
      else log.warn(`signal ${name} ignored: ${parsed.problem}`);
    });
  }
}

export function cannotBecome(from: TransferStatus, to: TransferStatus): Refusal {
  return refusalOf('invalid_state', { from, to });
}

function overReceived(sent: number): Refusal {
  const detail = detailOf('validation_failed', { rule: 'max_received', max: sent });
  return refusal('validation_failed', detail, { errors: [{ pointer: '/quantity', code: 'too_big', detail }] });
}
