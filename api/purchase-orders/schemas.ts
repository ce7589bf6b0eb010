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
    supplierOrderId: z.string().openapi({ description: "The supplier's own number.", example: 'SO-20417' }),
    status: z.enum(purchaseOrderStatuses).openapi({ description: 'Where the order stands.' }),
    items: z
      .array(
        z.object({
          sku,
          quantity,
          unitPrice: money.openapi({ description: 'What one unit costs.' }),
          totalPrice: money.openapi({ description: 'What all units cost.' }),
        }),
      )
      .openapi({ description: 'What is ordered.' }),
    receivedAt: time
      .nullable()
      .openapi({ description: 'When the goods came into stock; null: not yet.', example: null }),
  })
  .openapi('PurchaseOrder', { description: 'An order that was placed with a supplier.' });
export type PurchaseOrder = Shape<typeof purchaseOrder>;

export const purchaseOrderPage = pageOf('PurchaseOrder', purchaseOrder);
