/** Replenishments: what is ordered from suppliers to fill stock up again. */
import { listReplenishments } from '../../db/replenishments.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest } from '../pages.js';
import { answer, refuse, unavailable } from '../reply.js';
import { type Route, route } from '../route.js';
import { openReplenishment } from './open.js';
import { readReplenishment } from './representation.js';
import { newReplenishment, replenishment, replenishmentId, replenishmentPage, replenishmentQuery } from './schemas.js';

export function replenishmentRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/replenishments',
      tag: 'Supply',
      summary: 'Order from the supplier what lacks to the maximum, whatever the reorder point',
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
      scope: 'supply:read',
      query: replenishmentQuery,
      answers: { 200: replenishmentPage },
      handler: async ({ query }) => {
        const page = pageRequest(query);
        if (page.kind === 'refused') return page;
        const { status, sku } = query;
        return answer(200, await listReplenishments(db, { ...page, status, sku }));
      },
    }),
    route({
      method: 'get',
      path: '/api/replenishments/:id',
      tag: 'Supply',
      summary: 'Read a replenishment',
      scope: 'supply:read',
      params: replenishmentId,
      answers: { 200: replenishment },
      refusals: ['not_found', 'unavailable'],
      handler: async ({ params, note }) => {
        note({ replenishmentId: params.id });
        const found = await readReplenishment(params.id, deps);
        if (found.kind === 'unknown') return unavailable('Temporal');
        return found.kind === 'absent'
          ? refuse('not_found', 'no such replenishment')
          : answer(200, found.replenishment);
      },
    }),
  ];
}
