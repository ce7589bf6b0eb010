/** Reads transfers: from Postgres or, before their saga has written anything, from its input. */
import { getTransfer } from '../../db/transfers/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { refusalOf } from '../../domain/refusals.js';
import { isTransferEnded, type TransferStatus } from '../../domain/transfers/states.js';
import { type TransferInput, transferWorkflowId } from '../../workflows/transfer/contract.js';
import type { Commanded } from '../temporal/saga-resource.js';
import type { Transfer } from './schemas.js';
import { viewTransfer } from './view.js';

export const transfers: Commanded<Transfer, TransferInput, TransferStatus> = {
  noun: 'transfer',
  idMember: 'transferId',
  path: '/api/transfers',
  workflowId: transferWorkflowId,
  stored: async (db, id) => {
    const stored = await getTransfer(db, id);
    if (!stored) return null;
    const view = viewTransfer(stored);
    const { failure } = view;
    return { view, refusal: failure && isRefusalCode(failure.code) ? refusal(failure.code, failure.detail) : null };
  },
  pending: (_db, input) => pendingTransfer(input),
  alwaysWritten: false,
  isOver: ({ status }) => isTransferEnded(status),
  cannotBecome: ({ status: from }, to) => refusalOf('invalid_state', { from, to }),
};

/** The transfer as its saga will first write it. Nothing is held yet. */
function pendingTransfer(input: TransferInput): Transfer {
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
