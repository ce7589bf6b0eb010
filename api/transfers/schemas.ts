import { z } from 'zod';
import { maxQuantity } from '../../domain/stock.js';
import { transferModes, transferStatuses } from '../../domain/transfer-states.js';
import { id, locationCode, pageOf, pageQuery, quantity, sku, text, time } from '../schemas.js';

export const transferId = z.strictObject({ id: id('trf') });
export const transferQuery = z.strictObject({
  status: z.enum(transferStatuses).optional(),
  sku: sku.optional(),
  ...pageQuery,
});

export const newTransfer = z.strictObject({
  sku,
  quantity,
  from: locationCode,
  to: locationCode.openapi({ example: 'berlin' }),
  mode: z.enum(transferModes).default('immediate'),
});

export const arrival = z.strictObject({
  quantity: z
    .int()
    .min(0)
    .max(maxQuantity)
    .openapi({ description: 'What arrived; all that was sent where it is left out. Less is booked as lost.' })
    .optional(),
  reason: text(500).openapi({ description: 'Why less arrived than was sent.' }).optional(),
});
export const recall = z.strictObject({ reason: text(500).optional() });

const count = z.int().min(0);

export const transfer = z
  .object({
    id: z.string(),
    sku: z.string(),
    quantity: z.int(),
    from: z.string(),
    to: z.string(),
    mode: z.enum(transferModes),
    status: z.enum(transferStatuses),
    reservationId: z.string().nullable(),
    received: count.nullable(),
    lost: count.nullable(),
    reason: z.string().nullable(),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    workflowId: z.string(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Transfer');

export const transferPage = pageOf('Transfer', transfer);
