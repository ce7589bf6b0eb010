/** The commands of a transfer. It has no timeline: ignored signals go to the worker's log. */
import { log } from '@temporalio/workflow';
import { type Refusal, refusal } from '../../domain/errors.js';
import { detailOf, refusalOf } from '../../domain/refusals.js';
import { canEndAs, type TransferStatus } from '../../domain/transfers/states.js';
import type { TransferState } from '../../domain/transfers/steps.js';
import type { CancelRequest } from '../shared/contract.js';
import { type Command, type CommandTable, Inbox } from '../shared/inbox.js';
import { parseCancelSignal } from '../shared/signals.js';
import { type ReceiveRequest, type TransferAnswer, type TransferInput, transferUpdates } from './contract.js';
import { parseReceiveSignal } from './signals.js';

interface TransferRequests {
  readonly receive: ReceiveRequest;
  readonly cancel: CancelRequest;
}

export type TransferCommand = Command<TransferRequests, TransferAnswer>;
export type TransferInbox = Inbox<TransferRequests, TransferState, TransferAnswer>;

/** @param run prefix of this run's signal ids; empty in the first run */
export function transferInbox(input: TransferInput, run: string): TransferInbox {
  return new Inbox<TransferRequests, TransferState, TransferAnswer>(commandsOf(input), {
    standing: { status: 'pending', received: null },
    firstAnswer: transferUpdates.moved,
    run,
    onIgnored: ({ text }) => log.warn(text),
  });
}

function commandsOf({
  quantity: sent,
  mode,
}: TransferInput): CommandTable<TransferRequests, TransferState, TransferAnswer> {
  return {
    receive: {
      refusedWhen: ({ quantity }, { status, received }) => {
        const arrived = quantity ?? sent;
        if (arrived > sent) return overReceived(sent);
        if (mode === 'immediate' || !canEndAs(status, 'completed')) return cannotBecome(status, 'completed');
        return status === 'completed' && received !== arrived ? cannotBecome(status, 'completed') : null;
      },
      parseSignal: parseReceiveSignal,
    },
    cancel: {
      refusedWhen: (_request, { status }) => (canEndAs(status, 'cancelled') ? null : cannotBecome(status, 'cancelled')),
      parseSignal: parseCancelSignal,
    },
  };
}

export function cannotBecome(from: TransferStatus, to: TransferStatus): Refusal {
  return refusalOf('invalid_state', { from, to });
}

function overReceived(sent: number): Refusal {
  const detail = detailOf('validation_failed', { rule: 'max_received', max: sent });
  return refusal('validation_failed', detail, { errors: [{ pointer: '/quantity', code: 'too_big', detail }] });
}
