import { z } from 'zod';
import { maxNameLength, maxQuantity } from '../../domain/limits.js';
import { productStatuses } from '../../domain/products.js';
import type { Shape } from '../http/route.js';
import { createdAt, money, pageOf, pageQuery, sku, supplierId, text, updatedAt } from '../http/schemas.js';

export const productSku = z.strictObject({ sku });
export const productQuery = z.strictObject(pageQuery);

const name = text(maxNameLength).openapi({ description: 'Its name.', example: 'T-shirt, medium' });
const price = money.openapi({ description: 'What a customer pays for one unit.' });
const status = z.enum(productStatuses).openapi({
  description:
    'Only active products can be added to orders and reserved. Holds made before a product was archived can still be confirmed.',
});

/** Replenishment settings. Null: none. */
const supply = {
  reorderPoint: z.int().min(0).max(maxQuantity).nullable().openapi({
    description:
      'When stock on hand and on order falls to this level, it is replenished from the supplier; null: never automatically.',
    example: 20,
  }),
  maxStock: z.int().min(1).max(maxQuantity).nullable().openapi({
    description: 'Replenishment refills stock up to this level; null: none. Not below `reorderPoint`.',
    example: 100,
  }),
  supplierId: supplierId.nullable().openapi({ description: 'The supplier of the product; null: none.' }),
  supplierPrice: z
    .union([money, z.null()])
    .openapi({ description: "The supplier's price for one unit; null: not known." }),
};

/** These are API paths below `/api/inventory/`, so the stock of a product with such a SKU could not be read. */
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
  .refine((patch) => Object.keys(patch).length > 0, 'must change at least one field')
  .openapi({ minProperties: 1 });

export const product = z
  .object({ sku, name, price, status, ...supply, createdAt, updatedAt })
  .openapi('Product', { description: 'A product that is sold and kept in stock.' });
export type Product = Shape<typeof product>;

export const productPage = pageOf('Product', product);
