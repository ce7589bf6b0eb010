/** The commands of an order, and notes for its timeline about ignored signals. */
import type { Refusal } from '../../domain/errors.js';
import { isSettled, type OrderStatus } from '../../domain/orders/states.js';
import { refusalOf } from '../../domain/refusals.js';
import type { CancelRequest } from '../shared/contract.js';
import { type Command, type CommandTable, Inbox, type Note } from '../shared/inbox.js';
import { parseCancelSignal } from '../shared/signals.js';
import { type AddLineRequest, type ConfirmRequest, type OrderAnswer, orderUpdates } from './contract.js';
import { parseConfirmSignal } from './signals.js';

interface OrderRequests {
  readonly confirm: ConfirmRequest;
  readonly cancel: CancelRequest;
  readonly addLine: AddLineRequest;
}
interface Standing {
  readonly status: OrderStatus;
}

export type OrderCommand = Command<OrderRequests, OrderAnswer>;
export type CancelCommand = Extract<OrderCommand, { readonly kind: 'cancel' }>;

const commands: CommandTable<OrderRequests, Standing, OrderAnswer> = {
  confirm: { refusedWhen: settledOtherThan('confirmed'), parseSignal: parseConfirmSignal },
  cancel: { refusedWhen: settledOtherThan('cancelled'), parseSignal: parseCancelSignal },
  addLine: { refusedWhen: settledOtherThan('reserved') },
};

/** The most ignored signals that a timeline records, so that a client in a loop cannot fill it. */
const maxNotes = 100;

export class OrderInbox extends Inbox<OrderRequests, Standing, OrderAnswer> {
  private readonly notes: Note[];

  /** @param run makes the ids of this run's signals its own; empty in the first run */
  constructor(run: string) {
    const notes: Note[] = [];
    let notesTaken = 0;
    super(commands, {
      standing: { status: 'pending' },
      firstAnswer: orderUpdates.opened,
      run,
      onIgnored: (note) => {
        if (notesTaken++ < maxNotes) notes.push(note);
      },
      isRecorded: isPaymentRefusal,
    });
    this.notes = notes;
  }

  override get hasWork(): boolean {
    return super.hasWork || this.notes.length > 0;
  }

  takeNote(): Note | undefined {
    return this.notes.shift();
  }
}

export function cannotBecome(from: OrderStatus, to: OrderStatus): Refusal {
  return refusalOf('invalid_order_state', { from, to });
}

function settledOtherThan(to: OrderStatus) {
  return (_request: unknown, { status }: Standing): Refusal | null =>
    isSettled(status) && status !== to ? cannotBecome(status, to) : null;
}

function isPaymentRefusal({ code }: Refusal): boolean {
  return (
    code === 'payment_declined' ||
    code === 'insufficient_funds' ||
    code === 'fraud_suspected' ||
    code === 'all_payment_attempts_failed'
  );
}
