/** Replenishments as clients see them. */
import type { ReplenishmentRow } from '../../db/supply/replenishments.js';
import { presentFailure } from '../../domain/refusals.js';
import type { Replenishment } from './schemas.js';

export function viewReplenishment(row: ReplenishmentRow): Replenishment {
  return {
    id: row.id,
    sku: row.sku,
    location: row.location,
    status: row.status,
    quantity: row.quantity,
    purchaseOrderId: row.purchaseOrderId,
    failure: presentFailure(row),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
