import { z } from 'zod';
import { replenishmentStatuses } from '../../domain/replenishment.js';
import { mainLocation } from '../../domain/stock.js';
import { id, locationCode, pageOf, pageQuery, quantity, sku, time } from '../schemas.js';

export const replenishmentId = z.strictObject({ id: id('rpl') });
export const replenishmentQuery = z.strictObject({
  status: z.enum(replenishmentStatuses).optional(),
  sku: sku.optional(),
  ...pageQuery,
});

export const newReplenishment = z.strictObject({ sku, location: locationCode.default(mainLocation) });

export const replenishment = z
  .object({
    id: z.string(),
    sku: z.string(),
    location: z.string(),
    status: z.enum(replenishmentStatuses),
    quantity: quantity.nullable().openapi({ description: 'What is ordered; null until it is decided.' }),
    purchaseOrderId: z.string().nullable(),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Replenishment');

export const replenishmentPage = pageOf('Replenishment', replenishment);
