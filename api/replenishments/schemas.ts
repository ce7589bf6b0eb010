import { z } from 'zod';
import { replenishmentStatuses } from '../../domain/replenishment.js';
import { mainLocation } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import {
  createdAt,
  failure,
  id,
  locationCode,
  pageOf,
  pageQuery,
  quantity,
  shownOrNull,
  sku,
  updatedAt,
} from '../http/schemas.js';

export const replenishmentId = z.strictObject({ id: id('rpl') });
export const replenishmentQuery = z.strictObject({
  status: z
    .enum(replenishmentStatuses)
    .openapi({ description: 'Only replenishments of this status.', example: 'running' })
    .optional(),
  sku: sku.openapi({ description: 'Only replenishments of this product.' }).optional(),
  ...pageQuery,
});

export const newReplenishment = z.strictObject({ sku, location: locationCode.default(mainLocation) });

export const replenishment = z
  .object({
    id: id('rpl'),
    sku,
    location: locationCode,
    status: z.enum(replenishmentStatuses).openapi({ description: 'Where the replenishment stands.' }),
    quantity: quantity.nullable().openapi({ description: 'What is ordered; null until it is decided.' }),
    purchaseOrderId: shownOrNull('The order at the supplier; null: none yet.', null),
    failure,
    createdAt,
    updatedAt,
  })
  .openapi('Replenishment', { description: 'How the stock of a product at a location is filled up again.' });
export type Replenishment = Shape<typeof replenishment>;

export const replenishmentPage = pageOf('Replenishment', replenishment);
