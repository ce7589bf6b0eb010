/**
 * Where wishes about an order arrive. Updates and signals only put a wish on the desk; the saga takes them one at a time,
 * in the order of their coming, and answers them.
 */
import {
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Refusal } from '../../domain/errors.js';
import { isSettled, type OrderStatus } from '../../domain/orders/states.js';
import { refusalOf } from '../../domain/refusals.js';
import type { Caller } from '../shared/contract.js';
import { FirstAnswer } from '../shared/first-answer.js';
import { outliveCancellation } from '../shared/waiting.js';
import {
  type AddLineRequest,
  type CancelRequest,
  type ConfirmRequest,
  type OrderAnswer,
  orderSignals,
  orderUpdates,
} from './contract.js';
import { bringsCardNumber, type ParsedSignal, parseCancelSignal, parseConfirmSignal } from './signals.js';

export type Wish = (
  | { readonly kind: 'confirm'; readonly request: ConfirmRequest }
  | { readonly kind: 'cancel'; readonly request: CancelRequest }
  | { readonly kind: 'addLine'; readonly request: AddLineRequest }
) & {
  /**
   * The update's id, or the signal's place among the signals: the same in every run of a workflow task, in whatever order
   * wishes arrive. The keys of the steps that a wish causes are made of it.
   */
  readonly id: string;
  /** Signals have nobody who waits for an answer: what is refused is told to the timeline. */
  readonly bySignal: boolean;
  answer?: OrderAnswer;
};

/** Something for the timeline about the wish or signal with this id. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

/** Signals that are told to the timeline at most: somebody's loop must not fill it. */
const maxNotes = 100;

export class OrderDesk {
  /** The order's status as the saga knows it; wishes are judged by it when they arrive. */
  status: OrderStatus = 'pending';
  /** For whoever opened the order. */
  readonly opened = new FirstAnswer<OrderAnswer>();
  private readonly wishes: Wish[] = [];
  private readonly notes: Note[] = [];
  private notesTaken = 0;
  private signals = 0;

  /** @param run makes the ids of this run's signals its own; empty in the first run */
  constructor(private readonly run: string) {
    setHandler(defineUpdate<OrderAnswer>(orderUpdates.opened), () => this.opened.given);
    this.onUpdate<ConfirmRequest>(orderUpdates.confirm, 'confirmed', (request, id) => ({
      kind: 'confirm',
      request,
      id,
      bySignal: false,
    }));
    this.onUpdate<CancelRequest>(orderUpdates.cancel, 'cancelled', (request, id) => ({
      kind: 'cancel',
      request,
      id,
      bySignal: false,
    }));
    this.onUpdate<AddLineRequest>(orderUpdates.addLine, 'reserved', (request, id) => ({
      kind: 'addLine',
      request,
      id,
      bySignal: false,
    }));
    this.onSignal(orderSignals.confirm, (payload, id) => {
      const parsed = parseConfirmSignal(payload);
      return toWish(parsed, (payment) => ({
        kind: 'confirm',
        request: { payment, caller: signalCaller() },
        id,
        bySignal: true,
      }));
    });
    this.onSignal(orderSignals.cancel, (payload, id) => {
      const parsed = parseCancelSignal(payload);
      return toWish(parsed, (reason) => ({
        kind: 'cancel',
        request: { reason, caller: signalCaller() },
        id,
        bySignal: true,
      }));
    });
  }

  /** Puts a wish down that came from elsewhere (the workflow's own cancellation). */
  put(wish: Wish): void {
    this.wishes.push(wish);
  }

  /** Puts a wish back that cannot be granted before something else is finished. */
  putBack(wish: Wish): void {
    this.wishes.unshift(wish);
  }

  /** Waits until there is a wish or a note, at most so long (null: for ever). */
  async waitForWork(timeoutMs: number | null): Promise<void> {
    if (timeoutMs === null) await condition(() => this.hasWork);
    else if (timeoutMs > 0) await condition(() => this.hasWork, timeoutMs, { summary: this.waitSummary });
  }

  private get waitSummary(): string {
    return this.status === 'draft'
      ? 'Wait for a line or a cancel until the draft expires'
      : 'Wait for a confirm or a cancel until the hold ends';
  }

  get hasWork(): boolean {
    return this.wishes.length > 0 || this.notes.length > 0;
  }

  takeWish(): Wish | undefined {
    return this.wishes.shift();
  }

  takeNote(): Note | undefined {
    return this.notes.shift();
  }

  /** Whether somebody has asked to cancel and is still waiting for his turn. */
  get cancelWanted(): boolean {
    return this.wishes.some((wish) => wish.kind === 'cancel');
  }

  /** Takes the oldest wish to cancel, ahead of its turn. */
  takeCancel(): Extract<Wish, { kind: 'cancel' }> | undefined {
    const cancel = this.wishes.find((wish) => wish.kind === 'cancel');
    if (cancel !== undefined) this.wishes.splice(this.wishes.indexOf(cancel), 1);
    return cancel;
  }

  /** Takes the confirmations that came while one was being carried out and that bring no card of their own: they join it. */
  takeJoiningConfirms(): Wish[] {
    const joins = (wish: Wish) => wish.kind === 'confirm' && wish.request.payment === null;
    const all = this.wishes.splice(0);
    for (const wish of all) if (!joins(wish)) this.wishes.push(wish);
    return all.filter(joins);
  }

  /** Tells the timeline about something that was ignored. */
  note(id: string, text: string): void {
    if (this.notesTaken++ < maxNotes) this.notes.push({ id, text });
  }

  private onUpdate<Request>(name: string, to: OrderStatus, wishOf: (request: Request, id: string) => Wish): void {
    setHandler(
      defineUpdate<OrderAnswer, [Request]>(name),
      async (request: Request) => {
        const wish = wishOf(request, currentUpdateInfo()?.id ?? '');
        this.wishes.push(wish);
        const isAnswered = () => wish.answer !== undefined;
        try {
          await condition(isAnswered);
        } catch (error) {
          await outliveCancellation(error, isAnswered);
        }
        return wish.answer as OrderAnswer;
      },
      {
        validator: (_request: Request) => {
          if (isSettled(this.status) && this.status !== to) throw asFailure(cannotBecome(this.status, to));
        },
      },
    );
  }

  private onSignal(name: string, wishOf: (payload: unknown, id: string) => Wish | string): void {
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      const id = `${this.run}signal-${++this.signals}`;
      const wish = bringsCardNumber(payload) ? 'holds what looks like a card number' : wishOf(payload, id);
      if (typeof wish === 'string') this.note(id, `signal ${name} ignored: ${wish}`);
      else this.wishes.push(wish);
    });
  }
}

function toWish<T>(parsed: ParsedSignal<T>, wishOf: (value: T) => Wish): Wish | string {
  return parsed.kind === 'ok' ? wishOf(parsed.value) : parsed.problem;
}

export function cannotBecome(from: OrderStatus, to: OrderStatus): Refusal {
  return refusalOf('invalid_order_state', { from, to });
}

/** A refusal as the failure of an update whose validator says no. */
export function asFailure(why: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: why.code, message: why.detail, nonRetryable: true, details: [why] });
}

/** Whoever sent a signal: the trace is that of the start. */
export function signalCaller(): Caller {
  const traceparent = workflowInfo().memo?.traceparent;
  return { actor: 'signal', traceparent: typeof traceparent === 'string' ? traceparent : '', requestId: null };
}
