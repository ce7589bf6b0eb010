import { z } from 'zod';
import { maxNameLength, maxQuantity } from '../../domain/limits.js';
import { productStatuses } from '../../domain/products.js';
import type { Shape } from '../http/route.js';
import { createdAt, money, pageOf, pageQuery, sku, supplierId, text, updatedAt } from '../http/schemas.js';

export const productSku = z.strictObject({ sku });
export const productQuery = z.strictObject(pageQuery);

const name = text(maxNameLength).openapi({ description: 'What it is called.', example: 'T-shirt, medium' });
const price = money.openapi({ description: 'What one unit costs a customer.' });
const status = z.enum(productStatuses).openapi({
  description:
    'Only an active product takes new orders, lines and reservations. What was held before it was archived can still be confirmed.',
});

/** Replenishment settings. Null: none. */
const supply = {
  reorderPoint: z.int().min(0).max(maxQuantity).nullable().openapi({
    description: 'Stock on hand and on order at or below this is replenished from the supplier; null: never by itself.',
    example: 20,
  }),
  maxStock: z.int().min(1).max(maxQuantity).nullable().openapi({
    description: 'Replenishment orders what lacks to this; null: none. Not below `reorderPoint`.',
    example: 100,
  }),
  supplierId: supplierId.nullable().openapi({ description: 'Who supplies it; null: nobody.' }),
  supplierPrice: z
    .union([money, z.null()])
    .openapi({ description: 'What one unit costs at the supplier; null: not known.' }),
};

/** Below `/api/inventory/` these are paths of the API: the stock of a product of that name could not be read. */
export const reservedSkus: readonly string[] = ['batch', 'bulk', 'operations'];

export const newProduct = z.strictObject({
  sku: sku
    .refine((name) => !reservedSkus.includes(name), `must not be one of ${reservedSkus.join(', ')}`)
    .openapi({ not: { enum: [...reservedSkus] } }),
  name,
  price,
  status: z.enum(['draft', 'active']).default('active').openapi({ description: 'A draft cannot be sold yet.' }),
  reorderPoint: supply.reorderPoint.default(null),
  maxStock: supply.maxStock.default(null),
  supplierId: supply.supplierId.default(null),
  supplierPrice: supply.supplierPrice.default(null),
});

export const productPatch = z
  .strictObject({ name, price, status, ...supply })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'must name what is to change')
  .openapi({ minProperties: 1 });

export const product = z
  .object({ sku, name, price, status, ...supply, createdAt, updatedAt })
  .openapi('Product', { description: 'Something that is sold and kept in stock.' });
export type Product = Shape<typeof product>;

export const productPage = pageOf('Product', product);
