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
    status: z.enum(replenishmentStatuses).openapi({ description: 'The status of the replenishment.' }),
    quantity: quantity.nullable().openapi({ description: 'How many units are ordered; null until that is decided.' }),
    purchaseOrderId: shownOrNull('The purchase order at the supplier; null: none yet.', null),
    failure,
    createdAt,
    updatedAt,
  })
  .openapi('Replenishment', {
    description: 'An order to a supplier that refills the stock of a product at a location.',
  });
export type Replenishment = Shape<typeof replenishment>;

export const replenishmentPage = pageOf('Replenishment', replenishment);
