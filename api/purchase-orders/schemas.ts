import { z } from 'zod';
import { purchaseOrderStatuses } from '../../domain/replenishment.js';
import { id, money, pageOf, pageQuery, quantity, sku, time } from '../schemas.js';

export const purchaseOrderId = z.strictObject({ id: id('po') });
export const purchaseOrderQuery = z.strictObject({
  status: z.enum(purchaseOrderStatuses).optional(),
  sku: sku.optional(),
  ...pageQuery,
});

export const purchaseOrder = z
  .object({
    id: z.string(),
    supplierId: z.string(),
    supplierOrderId: z.string().openapi({ description: "The supplier's own number." }),
    status: z.enum(purchaseOrderStatuses),
    items: z.array(z.object({ sku: z.string(), quantity, unitPrice: money, totalPrice: money })),
    receivedAt: time.nullable(),
  })
  .openapi('PurchaseOrder');

export const purchaseOrderPage = pageOf('PurchaseOrder', purchaseOrder);
