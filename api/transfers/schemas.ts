import { z } from 'zod';
import { maxQuantity, maxReasonLength } from '../../domain/limits.js';
import { transferModes, transferStatuses } from '../../domain/transfers/states.js';
import type { Shape } from '../http/route.js';
import {
  createdAt,
  failure,
  id,
  locationCode,
  pageOf,
  pageQuery,
  quantity,
  shown,
  shownOrNull,
  sku,
  text,
  updatedAt,
} from '../http/schemas.js';

export const transferId = z.strictObject({ id: id('trf') });
export const transferQuery = z.strictObject({
  status: z
    .enum(transferStatuses)
    .openapi({ description: 'Only transfers of this status.', example: 'in_transit' })
    .optional(),
  sku: sku.openapi({ description: 'Only transfers of this product.' }).optional(),
  ...pageQuery,
});

export const newTransfer = z.strictObject({
  sku,
  quantity,
  from: locationCode.openapi({ description: 'Where the goods are.' }),
  to: locationCode.openapi({ description: 'Where the goods go.', example: 'berlin' }),
  mode: z
    .enum(transferModes)
    .default('immediate')
    .openapi({ description: 'In one step, or shipped by way of transit.' }),
});

export const arrival = z.strictObject({
  quantity: z
    .int()
    .min(0)
    .max(maxQuantity)
    .openapi({
      description: 'How many units arrived; if absent, all that were sent. Missing units are booked as lost.',
      example: 9,
    })
    .optional(),
  reason: text(maxReasonLength)
    .openapi({ description: 'Why fewer units arrived than were sent.', example: 'one parcel was crushed' })
    .optional(),
});
export const recall = z.strictObject({
  reason: text(maxReasonLength)
    .openapi({ description: 'Why the transfer is cancelled.', example: 'sent by mistake' })
    .optional(),
});

const count = z.int().min(0).nullable();

export const transfer = z
  .object({
    id: id('trf'),
    sku,
    quantity,
    from: locationCode.openapi({ description: 'Where the goods come from.' }),
    to: locationCode.openapi({ description: 'Where the goods go.', example: 'berlin' }),
    mode: z.enum(transferModes).openapi({ description: 'In one step, or shipped by way of transit.' }),
    status: z.enum(transferStatuses).openapi({ description: 'The status of the transfer.' }),
    reservationId: shownOrNull('Its hold at the source; null: none.', 'rsv_01a1fca5052e708db2f67afe7cac72b9'),
    received: count.openapi({ description: 'How many units arrived; null: not known yet.', example: 9 }),
    lost: count.openapi({ description: 'How many units were lost on the way; null: not known yet.', example: 1 }),
    reason: shownOrNull('Why goods were lost or returned.', null),
    failure,
    workflowId: shown('The id of its Temporal workflow.', 'transfer/trf_01a1fca5052e708db2f67afe7cac72b9'),
    createdAt,
    updatedAt,
  })
  .openapi('Transfer', { description: 'Goods that move from one location to another.' });
export type Transfer = Shape<typeof transfer>;

export const transferPage = pageOf('Transfer', transfer);
