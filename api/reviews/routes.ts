/** The queue of cases that a person must look at. */
import { writeAudit } from '../../db/audit/audit.js';
import { closeReviewBy, getReview, listReviews, type ReviewRow } from '../../db/reviews/reviews.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, refuse, unavailable } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { resolvedReviewExample, reviewExample } from '../openapi/examples/sales.js';
import { decision, type Review, review, reviewId, reviewPage, reviewQuery } from './schemas.js';

export function reviewRoutes({ connection: { db }, sagas }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/reviews',
      tag: 'Reviews',
      summary: 'List reviews',
      description: 'Lists the cases that a person must look at, newest first.',
      example: { answer: pageExample(reviewExample) },
      scope: 'admin',
      query: reviewQuery,
      answers: { 200: reviewPage },
      handler: async ({ query }) => {
        const page = pageRequest('reviews', query);
        return page.kind === 'refused'
          ? page
          : answer(200, viewPage(await listReviews(db, { ...page, status: query.status }), viewReview));
      },
    }),
    route({
      method: 'get',
      path: '/api/reviews/:id',
      tag: 'Reviews',
      summary: 'Read a review',
      description: 'Returns one review.',
      example: { answer: reviewExample },
      scope: 'admin',
      params: reviewId,
      answers: { 200: review },
      refusals: ['not_found'],
      handler: async ({ params }) => {
        const found = await getReview(db, params.id);
        return found ? answer(200, viewReview(found)) : refuse('not_found', 'no such review');
      },
    }),
    route({
      method: 'post',
      path: '/api/reviews/:id/resolve',
      tag: 'Reviews',
      summary: 'Resolve a review',
      description: '`retry` retries the failed step at once; `done` means that a person has done it by hand.',
      example: {
        body: { resolution: 'done', note: 'refunded in the processor’s own pages' },
        answer: resolvedReviewExample,
      },
      scope: 'admin',
      params: reviewId,
      body: decision,
      answers: { 200: review },
      refusals: ['not_found', 'invalid_state', 'unavailable'],
      handler: async ({ params, body, caller, resumed }) => {
        const found = await getReview(db, params.id);
        if (!found) return refuse('not_found', 'no such review');
        if (found.status !== 'open' && !resumed)
          return refuse('invalid_state', 'this review is resolved', { from: 'resolved', to: 'resolved' });

        // Signal the waiting saga first: if the review were closed first, the saga might never learn of the decision.
        const { workflowId } = found;
        const signalled =
          workflowId === null ? 'ended' : await sagas.signalReview(workflowId, { reviewId: params.id, ...body });
        if (signalled === 'unavailable') return unavailable('Temporal');
        if (body.resolution === 'done')
          await closeReviewBy(db, params.id, { ...body, at: new Date().toISOString() }, caller);
        else if (signalled === 'ended' && !resumed)
          return refuse('invalid_state', 'nothing is waiting for a retry; the review can only be resolved as done');
        else if (signalled === 'delivered')
          await writeAudit(db, { by: caller, action: 'review.retry', subject: `review/${params.id}` });
        const after = await getReview(db, params.id);
        return answer(200, viewReview(after ?? found));
      },
    }),
  ];
}

function viewReview(row: ReviewRow): Review {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    detail: row.detail,
    status: row.status,
    attempts: row.attempts,
    lastError: row.lastError,
    createdAt: row.createdAt,
    resolution: row.resolution,
  };
}
