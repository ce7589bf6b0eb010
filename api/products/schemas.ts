import { z } from 'zod';
import { maxQuantity } from '../../domain/stock.js';
import { money, pageOf, pageQuery, sku, supplierId, text, time } from '../schemas.js';

export const productSku = z.strictObject({ sku });
export const productQuery = z.strictObject(pageQuery);

const status = z.enum(['draft', 'active', 'archived']).openapi({
  description:
    'Only an active product takes new orders, lines and reservations. What was held before it was archived can still be confirmed.',
});

/** How a product is come by again. Null: not said, or no more. */
const supply = {
  reorderPoint: z.int().min(0).max(maxQuantity).nullable().openapi({
    description: 'On hand plus on order at or below this asks the supplier for more; null: never by itself.',
  }),
  maxStock: z.int().min(1).max(maxQuantity).nullable().openapi({ description: 'What it is filled up to.' }),
  supplierId: supplierId.nullable(),
  supplierPrice: z.union([money, z.null()]).openapi({ description: 'What the supplier takes for one.' }),
};

export const newProduct = z.strictObject({
  sku,
  name: text(200),
  price: money,
  status: z.enum(['draft', 'active']).default('active'),
  reorderPoint: supply.reorderPoint.default(null),
  maxStock: supply.maxStock.default(null),
  supplierId: supply.supplierId.default(null),
  supplierPrice: supply.supplierPrice.default(null),
});

export const productPatch = z
  .strictObject({ name: text(200), price: money, status, ...supply })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'must name what is to change');

export const product = z
  .object({ sku: z.string(), name: z.string(), price: money, status, ...supply, createdAt: time, updatedAt: time })
  .openapi('Product');

export const productPage = pageOf('Product', product);
