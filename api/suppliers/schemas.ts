import { z } from 'zod';
import { clientUrlPattern, isClientUrl, maxClientUrlLength, notAClientUrl } from '../../domain/addresses.js';
import { maxNameLength } from '../../domain/limits.js';
import type { Shape } from '../http/route.js';
import { createdAt, pageOf, pageQuery, quantity, supplierId, text, updatedAt } from '../http/schemas.js';

export const supplierPath = z.strictObject({ id: supplierId });
export const supplierQuery = z.strictObject(pageQuery);

const fields = {
  name: text(maxNameLength).openapi({ description: 'Its name.', example: 'Cotton & Sons' }),
  active: z.boolean().openapi({ description: 'Whether it receives new orders.' }),
  minOrderQuantity: quantity.openapi({ description: 'The least units of one product in one order.' }),
  maxOrderQuantity: quantity.openapi({ description: 'The most units of one product in one order.' }),
  url: z.string().max(maxClientUrlLength).refine(isClientUrl, notAClientUrl).nullable().openapi({
    format: 'uri',
    pattern: clientUrlPattern,
    description:
      "The URL of the supplier's API; null: the sandbox. A public address, or a host in GATEWAY_ALLOW_HOSTS. Stored as a URL parser normalizes it, without a slash after a bare host.",
    example: null,
  }),
};

export const newSupplier = z
  .strictObject({ id: supplierId.optional(), ...fields, url: fields.url.default(null) })
  .refine((supplier) => supplier.minOrderQuantity <= supplier.maxOrderQuantity, {
    path: ['maxOrderQuantity'],
    error: 'must not be below minOrderQuantity',
  });

export const supplierPatch = z
  .strictObject(fields)
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'must change at least one field')
  .openapi({ minProperties: 1 });

export const supplier = z
  .object({
    id: supplierId,
    ...fields,
    url: z.string().nullable().openapi({
      format: 'uri',
      description: "The URL of the supplier's API, in stored form; null: the sandbox.",
      example: null,
    }),
    createdAt,
    updatedAt,
  })
  .openapi('Supplier', { description: 'A company that replenishes stock.' });
export type Supplier = Shape<typeof supplier>;

export const supplierPage = pageOf('Supplier', supplier);
