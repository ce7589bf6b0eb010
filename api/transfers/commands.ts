/** What is asked of a transfer that exists: that its goods have arrived, or shall go back. */
import type { TransferView } from '../../db/transfers/queries.js';
import { detailOf, refusalOf } from '../../domain/refusals.js';
import { isTransferEnded, type TransferStatus, transferStatuses } from '../../domain/transfers/states.js';
import { type TransferAnswer, type transferUpdates, transferWorkflowId } from '../../workflows/transfer/contract.js';
import type { ApiDeps } from '../deps.js';
import { answer, beingResumed, type Reply, refuse, refuseFields, refuseWith, unavailable } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { readTransfer } from './read.js';

export interface WantedOfTransfer {
  readonly update: (typeof transferUpdates)['receive' | 'cancel'];
  readonly request: { readonly quantity?: number | null; readonly reason: string | null };
  /** The status that the wish leads to. */
  readonly to: TransferStatus;
}

/** Asks the saga, and answers with the transfer as it stands then. Where the saga is over, Postgres knows how it ended. */
export async function driveTransfer(
  transferId: string,
  wanted: WantedOfTransfer,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply> {
  call.note({ transferId, workflowId: transferWorkflowId(transferId) });
  const asking = { updateId: call.ids.update, waitMs: call.waitMs };
  const request = { ...wanted.request, caller: call.caller };
  const outcome = await deps.sagas.updateTransfer(transferId, wanted.update, request, asking);
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, { transferId });
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused')
    return refuseWith(outcome.answer.refusal, { transferId });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');

  const found = await readTransfer(transferId, deps);
  if (found.kind === 'unknown') return unavailable('Temporal');
  if (found.kind === 'absent') return refuse('not_found', 'no such transfer');
  if (outcome.kind === 'answered') return answer(200, found.transfer);
  if (outcome.kind === 'late') return answer(202, found.transfer, { Location: `/api/transfers/${transferId}` });
  return afterTheEnd(found.transfer, wanted, call, deps);
}

async function afterTheEnd(
  transfer: TransferView,
  wanted: WantedOfTransfer,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply> {
  // A call that is repeated after a crash may have been answered by the saga before it ended.
  const workflowId = transferWorkflowId(transfer.id);
  const past = call.resumed ? await deps.sagas.pastAnswer<TransferAnswer>(workflowId, call.ids.update) : null;
  if (past?.kind === 'refused') return refuseWith(past.refusal, { transferId: transfer.id });
  if (past?.kind === 'done' || isGranted(transfer, wanted)) return answer(200, transfer);
  if (transferStatuses.some((status) => status === transfer.status && !isTransferEnded(status)))
    return beingResumed('transfer', { transferId: transfer.id });
  if (wanted.update === 'receive' && (wanted.request.quantity ?? 0) > transfer.quantity)
    return refuseFields('validation_failed', [
      {
        pointer: '/quantity',
        code: 'too_big',
        detail: detailOf('validation_failed', { rule: 'max_received', max: transfer.quantity }),
      },
    ]);
  return refuseWith(refusalOf('invalid_state', { from: transfer.status, to: wanted.to }), { transferId: transfer.id });
}

/** Whether the wish was granted before: goods that have arrived, with the same figure, or are back. */
function isGranted(transfer: TransferView, { update, request, to }: WantedOfTransfer): boolean {
  if (transfer.status !== to) return false;
  if (update === 'cancel') return true;
  return transfer.mode === 'shipped' && transfer.received === (request.quantity ?? transfer.quantity);
}
