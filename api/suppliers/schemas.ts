import { z } from 'zod';
import { pageOf, pageQuery, quantity, supplierId, text, time } from '../schemas.js';

export const supplierPath = z.strictObject({ id: supplierId });
export const supplierQuery = z.strictObject(pageQuery);

const fields = {
  name: text(200),
  active: z.boolean().openapi({ description: 'One that is not is asked for nothing.' }),
  minOrderQuantity: quantity.openapi({ description: 'The least of one product in one order.' }),
  maxOrderQuantity: quantity.openapi({ description: 'The most of one product in one order.' }),
  // The length first: to read a long host name as a URL takes quadratic time.
  url: z
    .string()
    .max(500)
    .pipe(z.url({ protocol: /^https?$/ }))
    .nullable()
    .openapi({ description: 'Where it is asked; null: the sandbox.', example: null }),
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
  .refine((patch) => Object.keys(patch).length > 0, 'must name what is to change');

export const supplier = z.object({ id: z.string(), ...fields, createdAt: time, updatedAt: time }).openapi('Supplier');

export const supplierPage = pageOf('Supplier', supplier);
