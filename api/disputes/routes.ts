/** Disputes, as the card processors' books show them. */
import { getDispute, listDisputes } from '../../db/payments/disputes.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, refuse } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { disputeExample } from '../openapi/examples/refunds.js';
import { dispute, viewDispute } from '../shapes/dispute.js';
import { disputeId, disputePage, disputeQuery } from './schemas.js';

export function disputeRoutes({ connection: { db } }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/disputes',
      tag: 'Disputes',
      summary: 'List disputes',
      description: 'Lists the disputes, newest first.',
      example: { answer: pageExample(disputeExample) },
      scope: 'payments:read',
      query: disputeQuery,
      answers: { 200: disputePage },
      handler: async ({ query }) => {
        const page = pageRequest('disputes', query);
        if (page.kind === 'refused') return page;
        const { status, paymentId } = query;
        return answer(200, viewPage(await listDisputes(db, { ...page, status, paymentId }), viewDispute));
      },
    }),
    route({
      method: 'get',
      path: '/api/disputes/:id',
      tag: 'Disputes',
      summary: 'Read a dispute',
      description: 'Returns one dispute as the processor showed it last.',
      example: { answer: disputeExample },
      scope: 'payments:read',
      params: disputeId,
      answers: { 200: dispute },
      refusals: ['not_found'],
      handler: async ({ params }) => {
        const found = await getDispute(db, params.id);
        return found ? answer(200, viewDispute(found)) : refuse('not_found', 'no such dispute');
      },
    }),
  ];
}
