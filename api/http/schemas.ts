/** The forms that several resources share. They both validate and document. */
import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { defaultPageSize, maxMinorUnits, maxPageSize, maxQuantity } from '../../domain/limits.js';
import { currencies } from '../../domain/money.js';
import { codePattern } from '../../domain/stock.js';
import { toInstant } from './instants.js';

extendZodWithOpenApi(z);

/**
 * Text that Postgres can keep: no NUL, no half of a surrogate pair. Its length is counted in code points, as Postgres and
 * JSON Schema count it.
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
/** Those that we make begin with `sup_`; a client may bring its own. */
export const supplierId = z
  .string()
  .regex(codePattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit')
  .openapi({ description: 'The id of a supplier.', example: 'sup_01a1fca5052e708db2f67afe7cac72b9' });
export const quantity = z.int().min(1).max(maxQuantity).openapi({ description: 'How many units.', example: 2 });
/** A change of what is on hand. */
export const delta = z
  .int()
  .min(-maxQuantity)
  .max(maxQuantity)
  .refine((change) => change !== 0, 'must not be 0')
  .openapi({ not: { const: 0 }, description: 'What is added to on hand; taken from it if negative.', example: -1 });
export const minorUnits = z
  .int()
  .min(0)
  .max(maxMinorUnits)
  .openapi({ description: 'Minor units (cents).', example: 1999 });
export const currency = z.enum(currencies).openapi({ description: 'ISO 4217 code.', example: 'USD' });
export const money = z
  .strictObject({ amount: minorUnits, currency })
  .openapi('Money', { description: 'An amount in the minor units of its currency: 1999 USD is $19.99.' });

/** Times as they are answered: RFC 3339, UTC. */
export const time = z.iso
  .datetime()
  .openapi({ description: 'RFC 3339, in UTC.', example: '2026-11-21T05:41:07.123456Z' });
/** When a resource was made and last changed. */
export const createdAt = time.openapi({ description: 'When it was created.' });
export const updatedAt = time.openapi({ description: 'When it last changed.' });
/** Times as they are taken, with any offset; the parsed value is in UTC. */
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
    .openapi({
      description: `An id of the form \`${prefix}_…\`.`,
      example: `${prefix}_01a1fca5052e708db2f67afe7cac72b9`,
    });

/** An id or a code in an answer. */
export const shown = (description: string, example: string) => z.string().openapi({ description, example });
/** The same, where there may be none. */
export const shownOrNull = (description: string, example: string | null) =>
  z.string().nullable().openapi({ description, example });
/** The code and the reason of a failure; null where nothing failed. */
export const failure = z
  .object({
    code: shown('A stable code, as in problem documents.', 'insufficient_stock'),
    detail: shown('What happened, for a person.', 'insufficient stock: available=1, requested=2'),
  })
  .nullable()
  .openapi({ description: 'Why it failed; null where it did not.' });

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
      description: 'How many items a page has at most.',
      example: defaultPageSize,
    })
    .optional(),
  cursor: text(1000)
    .openapi({
      pattern: '^[A-Za-z0-9_-]+$',
      description: '`nextCursor` of the page before; none for the first page.',
      example: 'WyIyMDI2LTExLTIxVDA1OjQxOjA3LjEyMzQ1NloiLCJUU0hJUlQtTSJd',
    })
    .optional(),
};

export const nextCursor = shownOrNull('`cursor` of the next page; null on the last one.', null);

export const pageOf = <T extends z.ZodType>(name: string, item: T) =>
  z
    .object({
      items: z.array(item).openapi({ description: 'The items of this page.' }),
      nextCursor,
    })
    .openapi(`${name}Page`, { description: 'A page of a list.' });

export const problem = z
  .looseObject({
    type: shown('A URI that names the kind of problem.', 'urn:holdfast:problem:validation_failed'),
    title: shown('The kind of problem, for a person.', 'Validation failed'),
    status: z.int().openapi({ description: 'The HTTP status.', example: 422 }),
    code: shown('The kind of problem, for a program: stable.', 'validation_failed'),
    detail: shown('What happened this time, for a person.', 'not valid: /lines/0/quantity'),
    instance: shown('The path of the request.', '/api/orders'),
    requestId: shown("The request's id, as in `X-Request-Id` and the log.", 'req_01a1fca5052e708db2f67afe7cac72b9'),
    errors: z
      .array(
        z.object({
          pointer: shown('JSON pointer (RFC 6901) to the field.', '/lines/0/quantity'),
          code: shown('What is wrong, for a program.', 'too_small'),
          detail: shown('What is wrong, for a person.', 'Too small: expected number to be >=1'),
        }),
      )
      .openapi({ description: 'The fields that are not valid.' })
      .optional(),
  })
  .openapi('Problem', {
    description:
      'RFC 9457. Some codes have members of their own: `insufficient_stock` has sku, location, available and requested. A problem about an order or a payment that exists carries its `orderId` or `paymentId`.',
  });
