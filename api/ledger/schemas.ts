import { z } from 'zod';
import { verificationStatuses } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import { createdAt, id, locationCode, pageOf, pageQuery, sku, time } from '../http/schemas.js';

export const verificationId = z.strictObject({ id: id('ver') });
export const verificationQuery = z.strictObject(pageQuery);

const levels = (description: string) => z.int().min(0).openapi({ description, example: 1204 });

const differences = z
  .array(
    z.object({
      sku,
      location: locationCode,
      what: z.string().openapi({ description: 'Which figure differs.', example: 'onHand' }),
      expected: z.number().openapi({ description: 'The figure by the ledger.', example: 42 }),
      found: z.number().openapi({ description: 'The stored figure.', example: 41 }),
    }),
  )
  .openapi({ description: 'The first 200 differences.' });

export const verification = z
  .object({
    id: id('ver'),
    status: z
      .enum(verificationStatuses)
      .openapi({ description: 'The status of the verification; only an operator can cancel one.' }),
    checked: levels('How many levels (a product at a location) have been compared.'),
    total: levels('How many levels there are to compare.'),
    clean: z.boolean().nullable().openapi({
      description:
        'Whether everything agrees; null as long as no difference has been found and levels remain to be compared.',
    }),
    differenceCount: z.int().min(0).openapi({ description: 'How many differences were found.', example: 0 }),
    differences,
    createdAt,
    completedAt: time.nullable().openapi({ description: 'When it ended; null while it runs.' }),
  })
  .openapi('Verification', { description: 'A comparison of the whole ledger with the levels and the open holds.' });

export type Verification = Shape<typeof verification>;
export const verificationPage = pageOf('Verification', verification);

export const outcome = z
  .object({
    clean: z.boolean().openapi({ description: 'Whether everything agrees.' }),
    differences,
  })
  .openapi('VerificationOutcome', { description: 'Whether the ledger, the levels and the open holds agree.' });
export type Outcome = Shape<typeof outcome>;
