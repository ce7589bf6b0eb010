/** Transfers as clients see them. */
import type { TransferRow } from '../../db/transfers/queries.js';
import { presentFailure } from '../../domain/refusals.js';
import type { Transfer } from './schemas.js';

export function viewTransfer(row: TransferRow): Transfer {
  return {
    id: row.id,
    sku: row.sku,
    quantity: row.quantity,
    from: row.from,
    to: row.to,
    mode: row.mode,
    status: row.status,
    reservationId: row.reservationId,
    received: row.received,
    lost: row.received === null ? null : row.quantity - row.received,
    reason: row.reason,
    failure: presentFailure(row),
    workflowId: row.workflowId,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
