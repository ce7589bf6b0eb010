import { z } from 'zod';
import { id, pageOf, pageQuery, text, time } from '../schemas.js';

export const reviewId = z.strictObject({ id: id('rev') });
export const reviewQuery = z.strictObject({ status: z.enum(['open', 'resolved']).optional(), ...pageQuery });
export const decision = z.strictObject({ resolution: z.enum(['retry', 'done']), note: text(2000) });

export const review = z
  .object({
    id: z.string(),
    kind: z.string(),
    subject: z.string().openapi({ example: 'order/ord_01a1fca5052e708db2f67afe7cac72b9' }),
    detail: z.unknown(),
    status: z.enum(['open', 'resolved']),
    attempts: z.int().openapi({ description: 'How often it had been tried when the case was opened.' }),
    lastError: z.string().nullable().openapi({ description: 'What the last of these attempts met with.' }),
    createdAt: time,
    resolution: z.unknown(),
  })
  .openapi('Review');

export const reviewPage = pageOf('Review', review);
