import { z } from 'zod';
import { purchaseOrderStatuses } from '../../domain/replenishment.js';
import type { Shape } from '../http/route.js';
import { id, money, pageOf, pageQuery, quantity, sku, supplierId, time } from '../http/schemas.js';

export const purchaseOrderId = z.strictObject({ id: id('po') });
export const purchaseOrderQuery = z.strictObject({
  status: z
    .enum(purchaseOrderStatuses)
    .openapi({ description: 'Only purchase orders of this status.', example: 'ordered' })
    .optional(),
  sku: sku.openapi({ description: 'Only purchase orders of this product.' }).optional(),
  ...pageQuery,
});

export const purchaseOrder = z
  .object({
    id: id('po'),
    supplierId,
    supplierOrderId: z.string().openapi({ description: "The supplier's own order number.", example: 'SO-20417' }),
    status: z.enum(purchaseOrderStatuses).openapi({ description: 'The status of the purchase order.' }),
    items: z
      .array(
        z.object({
          sku,
          quantity,
          unitPrice: money.openapi({ description: 'The price of one unit.' }),
          totalPrice: money.openapi({ description: 'The price of all units.' }),
        }),
      )
      .openapi({ description: 'The ordered items.' }),
    receivedAt: time.nullable().openapi({ description: 'When the goods were received; null: not yet.', example: null }),
  })
  .openapi('PurchaseOrder', { description: 'An order that was placed with a supplier.' });
export type PurchaseOrder = Shape<typeof purchaseOrder>;

export const purchaseOrderPage = pageOf('PurchaseOrder', purchaseOrder);
