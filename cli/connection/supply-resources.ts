/** The parts of answers about suppliers and what is ordered from them. Loaded with resources.ts. */
import { z } from 'zod';
import { failure, listOf, money } from './shapes.js';

export const supplier = z.object({
  id: z.string(),
  name: z.string(),
  active: z.boolean(),
  minOrderQuantity: z.number(),
  maxOrderQuantity: z.number(),
  url: z.string().nullable(),
  createdAt: z.string(),
});

export const supplierPage = listOf(supplier);

export const replenishment = z.object({
  id: z.string(),
  sku: z.string(),
  location: z.string(),
  status: z.string(),
  quantity: z.number().nullable(),
  purchaseOrderId: z.string().nullable(),
  failure: failure.nullable(),
  createdAt: z.string(),
});

export const purchaseOrder = z.object({
  id: z.string(),
  supplierId: z.string(),
  supplierOrderId: z.string(),
  status: z.string(),
  items: z.array(z.object({ sku: z.string(), quantity: z.number(), unitPrice: money, totalPrice: money })),
  receivedAt: z.string().nullable(),
});
export const purchaseOrderPage = listOf(purchaseOrder);
