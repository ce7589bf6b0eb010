/** Replenishments: orders to suppliers that refill stock. */
import { listReplenishments } from '../../db/supply/replenishments.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { exampleSku, pageExample } from '../openapi/examples/catalogue.js';
import { replenishmentExample } from '../openapi/examples/supply.js';
import { notFound } from '../temporal/saga-resource.js';
import { openReplenishment } from './create.js';
import { readReplenishment } from './read.js';
import { newReplenishment, replenishment, replenishmentId, replenishmentPage, replenishmentQuery } from './schemas.js';
import { viewReplenishment } from './view.js';

export function replenishmentRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/replenishments',
      tag: 'Supply',
      summary: 'Order from the supplier',
      description:
        'Refills a product at a location up to its maximum stock, whatever its reorder point. If a replenishment is already running there, that one is returned. If stock on hand and on order is at the maximum: 409 `nothing_to_order`.',
      example: { body: { sku: exampleSku, location: 'main' }, answer: replenishmentExample },
      scope: 'supply:write',
      creates: 'rpl',
      waits: true,
      body: newReplenishment,
      answers: { 202: replenishment },
      refusals: [
        'unknown_sku',
        'unknown_location',
        'nothing_to_order',
        'supplier_inactive',
        'supplier_not_configured',
        'unavailable',
      ],
      handler: (call) => openReplenishment(call.body, call, deps),
    }),
    route({
      method: 'get',
      path: '/api/replenishments',
      tag: 'Supply',
      summary: 'List replenishments',
      description: 'Lists the replenishments, including those that started by themselves, newest first.',
      example: { answer: pageExample(replenishmentExample) },
      scope: 'supply:read',
      query: replenishmentQuery,
      answers: { 200: replenishmentPage },
      handler: async ({ query }) => {
        const page = pageRequest('replenishments', query);
        if (page.kind === 'refused') return page;
        const { status, sku } = query;
        return answer(200, viewPage(await listReplenishments(db, { ...page, status, sku }), viewReplenishment));
      },
    }),
    route({
      method: 'get',
      path: '/api/replenishments/:id',
      tag: 'Supply',
      summary: 'Read a replenishment',
      description: 'Returns one replenishment as it stands.',
      example: { answer: replenishmentExample },
      scope: 'supply:read',
      params: replenishmentId,
      answers: { 200: replenishment },
      refusals: ['not_found', 'unavailable'],
      handler: async ({ params, note }) => {
        note({ replenishmentId: params.id });
        const found = await readReplenishment(params.id, deps);
        return found.kind === 'found' ? answer(200, found.view) : notFound({ noun: 'replenishment' }, found.kind);
      },
    }),
  ];
}
