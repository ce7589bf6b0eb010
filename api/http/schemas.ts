/** Schemas that several resources share, for validation and the OpenAPI document. */
import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { defaultPageSize, maxMinorUnits, maxPageSize, maxQuantity } from '../../domain/limits.js';
import { currencies } from '../../domain/money.js';
import { codePattern } from '../../domain/stock.js';
import { toInstant } from './instants.js';

extendZodWithOpenApi(z);

/**
 * Text that Postgres can store: no NUL, no lone surrogate. Its length is counted in code points, as in Postgres and JSON
 * Schema.
 */
export const text = (max: number) =>
  z
    .string()
    .min(1)
    .check(({ value, issues }) => {
      if (value.length > 2 * max || (value.length > max && [...value].length > max))
        issues.push({
          code: 'too_big',
          origin: 'string',
          maximum: max,
          inclusive: true,
          input: value,
          message: `must be at most ${max} characters long`,
        });
    })
    .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'must be well-formed text without NUL')
    .openapi({ maxLength: max, pattern: '^[^\\u0000]*$' });

export const sku = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ description: "The product's stock keeping unit.", example: 'TSHIRT-M' });
export const locationCode = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ description: 'The code of a location.', example: 'main' });
/** Generated ids begin with `sup_`; a client may choose its own. */
export const supplierId = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ description: 'The id of a supplier.', example: 'sup_01a1fca5052e708db2f67afe7cac72b9' });
export const quantity = z.int().min(1).max(maxQuantity).openapi({ description: 'How many units.', example: 2 });
/** A change of stock on hand. */
export const delta = z
  .int()
  .min(-maxQuantity)
  .max(maxQuantity)
  .refine((change) => change !== 0, 'must not be 0')
  .openapi({
    not: { const: 0 },
    description: 'How many units to add to stock on hand; negative to take them away.',
    example: -1,
  });
export const minorUnits = z
  .int()
  .min(0)
  .max(maxMinorUnits)
  .openapi({ description: 'Minor units (cents).', example: 1999 });
export const currency = z.enum(currencies).openapi({ description: 'ISO 4217 code.', example: 'USD' });
export const money = z
  .strictObject({ amount: minorUnits, currency })
  .openapi('Money', { description: 'An amount in the minor units of its currency: 1999 USD is $19.99.' });

/** Times in answers: RFC 3339, UTC. */
export const time = z.iso
  .datetime()
  .openapi({ description: 'RFC 3339, in UTC.', example: '2026-11-21T05:41:07.123456Z' });
export const createdAt = time.openapi({ description: 'When it was created.' });
export const updatedAt = time.openapi({ description: 'When it last changed.' });
/** Times in requests, with any offset; the parsed value is in UTC. */
export const anyTime = z.string().max(64).transform(toInstant).openapi({
  type: 'string',
  format: 'date-time',
  description: 'RFC 3339, with any offset. In a query, write `+` as `%2B`.',
  example: '2026-11-21T05:41:07Z',
});

/** An id with this prefix. */
export const id = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[A-Za-z0-9-]{1,64}$`))
    .openapi({
      description: `An id of the form \`${prefix}_…\`.`,
      example: `${prefix}_01a1fca5052e708db2f67afe7cac72b9`,
    });

/** An id or a code in an answer. */
export const shown = (description: string, example: string) => z.string().openapi({ description, example });
/** The same, or null. */
export const shownOrNull = (description: string, example: string | null) =>
  z.string().nullable().openapi({ description, example });
/** The code and detail of a failure; null if nothing failed. */
export const failure = z
  .object({
    code: shown('A stable code, as in problem documents.', 'insufficient_stock'),
    detail: shown('What happened, for people.', 'insufficient stock: available=1, requested=2'),
  })
  .nullable()
  .openapi({ description: 'Why it failed; null: it did not.' });

const notAPageSize = `must be a whole number from 1 to ${maxPageSize}`;
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, notAPageSize)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= maxPageSize, notAPageSize)
    .openapi({
      type: 'integer',
      minimum: 1,
      maximum: maxPageSize,
      default: defaultPageSize,
      description: 'The most items on a page.',
      example: defaultPageSize,
    })
    .optional(),
  cursor: text(1000)
    .openapi({
      pattern: '^[A-Za-z0-9_-]+$',
      description: 'The `nextCursor` of the previous page; absent for the first page.',
      example: 'WyIyMDI2LTExLTIxVDA1OjQxOjA3LjEyMzQ1NloiLCJUU0hJUlQtTSJd',
    })
    .optional(),
};

export const nextCursor = shownOrNull('The `cursor` of the next page; null on the last page.', null);

export const pageOf = <T extends z.ZodType>(name: string, item: T) =>
  z
    .object({
      items: z.array(item).openapi({ description: 'The items of this page.' }),
      nextCursor,
    })
    .openapi(`${name}Page`, { description: 'One page of a list.' });

export const problem = z
  .looseObject({
    type: shown('A URI for the kind of problem.', 'urn:holdfast:problem:validation_failed'),
    title: shown('The kind of problem, for people.', 'Validation failed'),
    status: z.int().openapi({ description: 'The HTTP status.', example: 422 }),
    code: shown('The kind of problem, for programs; stable.', 'validation_failed'),
    detail: shown('What went wrong this time, for people.', 'not valid: /lines/0/quantity'),
    instance: shown('The path of the request.', '/api/orders'),
    requestId: shown("The request's id, as in `X-Request-Id` and the log.", 'req_01a1fca5052e708db2f67afe7cac72b9'),
    errors: z
      .array(
        z.object({
          pointer: shown('JSON pointer (RFC 6901) to the field.', '/lines/0/quantity'),
          code: shown('What is wrong, for programs.', 'too_small'),
          detail: shown('What is wrong, for people.', 'Too small: expected number to be >=1'),
        }),
      )
      .openapi({ description: 'The fields that are not valid.' })
      .optional(),
  })
  .openapi('Problem', {
    description:
      'A problem document (RFC 9457). Some codes add members: `insufficient_stock` has sku, location, available and requested. A problem with an existing order or payment has its `orderId` or `paymentId`.',
  });
