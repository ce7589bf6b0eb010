/** A transfer as it stands: from Postgres, or, before its saga has written anything, from what the saga was started with. */
import { getTransfer } from '../../db/transfers/queries.js';
import { type TransferInput, transferWorkflowId } from '../../workflows/transfer/contract.js';
import type { ApiDeps } from '../deps.js';
import type { Transfer } from './schemas.js';
import { viewTransfer } from './view.js';

export type FoundTransfer =
  | { readonly kind: 'found'; readonly transfer: Transfer }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

/** Reads a transfer. `unknown`: Postgres has none and Temporal could not be asked. */
export async function readTransfer(id: string, { connection: { db }, sagas }: ApiDeps): Promise<FoundTransfer> {
  const stored = await getTransfer(db, id);
  if (stored) return { kind: 'found', transfer: viewTransfer(stored) };
  const presence = await sagas.presence(transferWorkflowId(id));
  if (presence === 'absent' || presence === 'unknown') return { kind: presence };
  const started = await sagas.startInput<TransferInput>(transferWorkflowId(id));
  // It may have been written down meanwhile.
  const now = await getTransfer(db, id);
  if (now) return { kind: 'found', transfer: viewTransfer(now) };
  // A saga that ended and wrote nothing down made no transfer.
  if (started.kind !== 'input') return { kind: started.kind };
  return presence === 'ended' ? { kind: 'absent' } : { kind: 'found', transfer: pendingTransfer(started.input) };
}

/** The transfer that a saga will write down when it begins. Nothing is held yet. */
export function pendingTransfer(input: TransferInput): Transfer {
  return {
    id: input.transferId,
    sku: input.sku,
    quantity: input.quantity,
    from: input.from,
    to: input.to,
    mode: input.mode,
    status: 'pending',
    reservationId: null,
    received: null,
    lost: null,
    reason: null,
    failure: null,
    workflowId: transferWorkflowId(input.transferId),
    createdAt: input.requestedAt,
    updatedAt: input.requestedAt,
  };
}
