import { z } from 'zod';
import { maxNoteLength } from '../../domain/limits.js';
import { reviewDecisions, reviewStatuses } from '../../domain/reviews.js';
import type { Shape } from '../http/route.js';
import { createdAt, id, pageOf, pageQuery, shown, shownOrNull, text } from '../http/schemas.js';

export const reviewId = z.strictObject({ id: id('rev') });
export const reviewQuery = z.strictObject({
  status: z.enum(reviewStatuses).openapi({ description: 'Only reviews of this status.', example: 'open' }).optional(),
  ...pageQuery,
});
export const decision = z.strictObject({
  resolution: z
    .enum(reviewDecisions)
    .openapi({ description: '`retry`: retry at once; `done`: a person has done it by hand.', example: 'done' }),
  note: text(maxNoteLength).openapi({ description: 'What you found and did.', example: 'refunded by hand' }),
});

export const review = z
  .object({
    id: id('rev'),
    kind: shown('The kind of case.', 'compensation_failed'),
    subject: shown('The resource it is about.', 'order/ord_01a1fca5052e708db2f67afe7cac72b9'),
    detail: z.unknown().openapi({ description: 'What a person needs to know, by kind.' }),
    status: z.enum(reviewStatuses).openapi({ description: 'Whether it still needs a decision.' }),
    attempts: z.int().openapi({ description: 'How many attempts had failed when the case was opened.', example: 5 }),
    lastError: shownOrNull('The error of the last of these attempts.', null),
    createdAt,
    resolution: z.unknown().openapi({ description: 'Who decided what, and when; null while it is open.' }),
  })
  .openapi('Review', { description: 'A case that a person must decide.' });
export type Review = Shape<typeof review>;

export const reviewPage = pageOf('Review', review);
