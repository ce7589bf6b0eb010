/** Commands to a transfer that exists: receive its goods, or cancel it. */
import { detailOf } from '../../domain/refusals.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, type Reply, refuseFields } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { commandSaga } from '../temporal/saga-resource.js';
import { transfers } from './read.js';
import type { Transfer } from './schemas.js';

export interface Arrival {
  /** Null: everything that was sent. */
  readonly quantity: number | null;
  readonly reason: string | null;
}

type TransferReply = Reply<Answer<200 | 202, Transfer>>;

/** Receives the goods, and answers with the transfer as it stands then. */
export function receiveTransfer(
  id: string,
  arrival: Arrival,
  call: CallContext,
  deps: ApiDeps,
): Promise<TransferReply> {
  const { quantity } = arrival;
  const request = { ...arrival, caller: call.caller };
  return commandSaga(
    transfers,
    id,
    {
      to: 'completed',
      successStatus: 200,
      send: (updateCall) => deps.sagas.updateTransfer(id, 'receive', request, updateCall),
      isDone: (transfer) => hasReceived(transfer, quantity),
      problem: ({ quantity: sent }) => ((quantity ?? 0) > sent ? overReceived(sent) : null),
    },
    call,
    deps,
  );
}

/** Cancels the transfer, and answers with it as it stands then. */
export function cancelTransfer(
  id: string,
  reason: string | null,
  call: CallContext,
  deps: ApiDeps,
): Promise<TransferReply> {
  const request = { reason, caller: call.caller };
  return commandSaga(
    transfers,
    id,
    {
      to: 'cancelled',
      successStatus: 200,
      send: (updateCall) => deps.sagas.updateTransfer(id, 'cancel', request, updateCall),
      isDone: ({ status }) => status === 'cancelled',
    },
    call,
    deps,
  );
}

/** Whether the destination has received exactly this quantity. */
function hasReceived(transfer: Transfer, quantity: number | null): boolean {
  const { status, mode, received, quantity: sent } = transfer;
  return status === 'completed' && mode === 'shipped' && received === (quantity ?? sent);
}

function overReceived(sent: number) {
  const detail = detailOf('validation_failed', { rule: 'max_received', max: sent });
  return refuseFields('validation_failed', [{ pointer: '/quantity', code: 'too_big', detail }]);
}
