/** Transfers between locations: `transfer/<id>`. */
import { listTransfers } from '../../db/transfers/queries.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import {
  cancelledTransferExample,
  newTransferExample,
  pendingTransferExample,
  receivedTransferExample,
  transferExample,
} from '../openapi/examples/supply.js';
import { readSaga } from '../temporal/saga-resource.js';
import { cancelTransfer, receiveTransfer } from './commands.js';
import { openTransfer } from './create.js';
import { transfers } from './read.js';
import { arrival, newTransfer, recall, transfer, transferId, transferPage, transferQuery } from './schemas.js';
import { viewTransfer } from './view.js';

export function transferRoutes(deps: ApiDeps): Route[] {
  return [...readRoutes(deps), ...commandRoutes(deps)];
}

function readRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/transfers',
      tag: 'Supply',
      summary: 'List transfers',
      description: 'Lists the transfers, newest first.',
      example: { answer: pageExample(transferExample) },
      scope: 'supply:read',
      query: transferQuery,
      answers: { 200: transferPage },
      handler: async ({ query }) => {
        const page = pageRequest('transfers', query);
        if (page.kind === 'refused') return page;
        const { status, sku } = query;
        return answer(200, viewPage(await listTransfers(deps.connection.db, { ...page, status, sku }), viewTransfer));
      },
    }),
    route({
      method: 'get',
      path: '/api/transfers/:id',
      tag: 'Supply',
      summary: 'Read a transfer',
      description: 'Returns one transfer as it stands.',
      example: { answer: transferExample },
      scope: 'supply:read',
      params: transferId,
      answers: { 200: transfer },
      refusals: ['not_found', 'unavailable'],
      handler: (call) => readSaga(transfers, call.params.id, call, deps),
    }),
  ];
}

function commandRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/transfers',
      tag: 'Supply',
      summary: 'Move goods to another location',
      description:
        '`immediate` moves the goods in one step. `shipped` takes them from the source and keeps them in transit until they are received or the transfer is cancelled. A unit is never counted twice or lost on the way.',
      example: { body: newTransferExample, answer: transferExample, pending: pendingTransferExample },
      scope: 'supply:write',
      creates: 'trf',
      startsSaga: true,
      waits: true,
      body: newTransfer,
      answers: { 201: transfer, 202: transfer },
      refusals: [
        'same_location',
        'unknown_sku',
        'unknown_location',
        'insufficient_stock',
        'invalid_state',
        'unavailable',
      ],
      handler: (call) => openTransfer(call.body, call, deps),
    }),
    route({
      method: 'post',
      path: '/api/transfers/:id/receive',
      tag: 'Supply',
      summary: 'Receive the goods of a transfer',
      description:
        'Adds the goods that arrived to the stock of the destination. If fewer arrived than were sent, the rest is booked as lost.',
      example: {
        body: { quantity: 9, reason: 'one parcel was crushed' },
        answer: receivedTransferExample,
        pending: transferExample,
      },
      scope: 'supply:write',
      waits: true,
      params: transferId,
      body: arrival,
      answers: { 200: transfer, 202: transfer },
      refusals: ['not_found', 'invalid_state', 'unavailable'],
      handler: (call) => {
        const arrival = { quantity: call.body.quantity ?? null, reason: call.body.reason ?? null };
        return receiveTransfer(call.params.id, arrival, call, deps);
      },
    }),
    route({
      method: 'post',
      path: '/api/transfers/:id/cancel',
      tag: 'Supply',
      summary: 'Cancel a transfer',
      description: 'Returns the goods to the source.',
      example: { body: { reason: 'sent by mistake' }, answer: cancelledTransferExample, pending: transferExample },
      scope: 'supply:write',
      waits: true,
      params: transferId,
      body: recall,
      answers: { 200: transfer, 202: transfer },
      refusals: ['not_found', 'invalid_state', 'unavailable'],
      handler: (call) => cancelTransfer(call.params.id, call.body.reason ?? null, call, deps),
    }),
  ];
}
