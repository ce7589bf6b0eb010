/** The forms that several resources share. They both validate and document. */
import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { currencies, maxMinorUnits } from '../domain/money.js';
import { codePattern, maxQuantity } from '../domain/stock.js';
import { toInstant } from './instants.js';

extendZodWithOpenApi(z);

/** Text that Postgres can keep: no NUL, no half of a surrogate pair. */
export const text = (max: number, min = 1) =>
  z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'must be well-formed text without NUL');

export const sku = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ example: 'TSHIRT-M' });
export const locationCode = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ example: 'main' });
/** Those that we make begin with `sup_`; a client may bring its own. */
export const supplierId = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ example: 'sup_01a1fca5052e708db2f67afe7cac72b9' });
export const quantity = z.int().min(1).max(maxQuantity).openapi({ example: 2 });
export const minorUnits = z
  .int()
  .min(0)
  .max(maxMinorUnits)
  .openapi({ description: 'Minor units (cents).', example: 1999 });
export const currency = z.enum(currencies);
export const money = z.strictObject({ amount: minorUnits, currency }).openapi('Money');

/** Times as they are answered: RFC 3339, UTC. */
export const time = z.iso.datetime().openapi({ example: '2026-11-21T05:41:07.123456Z' });
/** Times as they are taken, with any offset; what comes out is in UTC. */
export const anyTime = z.string().max(64).transform(toInstant).openapi({
  type: 'string',
  format: 'date-time',
  description: 'RFC 3339, with any offset. In a query `+` is written as `%2B`.',
  example: '2026-11-21T05:41:07Z',
});

/** Ids in paths: what does not look like one cannot exist. */
export const id = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[A-Za-z0-9-]{1,64}$`))
    .openapi({ example: `${prefix}_01a1fca5052e708db2f67afe7cac72b9` });

export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 200, 'must be a whole number from 1 to 200')
    .openapi({ type: 'integer', minimum: 1, maximum: 200, default: 50 })
    .optional(),
  cursor: text(1000).openapi({ description: '`nextCursor` of the page before.' }).optional(),
};
export const defaultLimit = 50;

export const pageOf = <T extends z.ZodType>(name: string, item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() }).openapi(`${name}Page`);

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
  })
  .openapi('Problem', { description: 'RFC 9457. A problem about an order or a payment that exists carries its id.' });
