/** Refunds of orders and payments: `refund/<id>`. */
import { listRefunds } from '../../db/refunds/queries.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import {
  newOrderRefundExample,
  newPaymentRefundExample,
  paymentRefundExample,
  pendingRefundExample,
  refundExample,
} from '../openapi/examples/refunds.js';
import { readSaga } from '../temporal/saga-resource.js';
import { refundOrder, refundPayment } from './create.js';
import { refunds, viewRefund } from './read.js';
import {
  newOrderRefund,
  newPaymentRefund,
  refund,
  refundedOrder,
  refundedPayment,
  refundId,
  refundPage,
  refundQuery,
} from './schemas.js';

export function refundRoutes(deps: ApiDeps): Route[] {
  return [...createRoutes(deps), ...readRoutes(deps)];
}

/** Why nothing can be refunded. */
const refusals = ['not_found', 'over_refund', 'payment_disputed', 'invalid_state', 'unavailable'] as const;

function createRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/orders/:id/refunds',
      tag: 'Refunds',
      summary: 'Refund an order',
      description:
        'Returns money for a confirmed order: for units of its lines, its charges, an amount, or everything that is left. With `restock` the units come back to the stock when the refund is booked. Answered with 202 while the processor has not settled it.',
      example: { body: newOrderRefundExample, answer: refundExample, pending: pendingRefundExample },
      scope: 'orders:write',
      creates: 'rfd',
      startsSaga: true,
      waits: true,
      params: refundedOrder,
      body: newOrderRefund,
      answers: { 201: refund, 202: refund },
      refusals: [...refusals, 'invalid_order_state'],
      handler: (call) => {
        const { amount = null, lines = [], charges, restock, reason } = call.body;
        return refundOrder(call.params.id, { request: { amount, lines, charges, restock }, reason }, call, deps);
      },
    }),
    route({
      method: 'post',
      path: '/api/payments/:id/refunds',
      tag: 'Refunds',
      summary: 'Refund a payment',
      description:
        "Returns an amount of a captured payment, or everything that is left of it. The refund of an order's payment is a refund of the order, without lines.",
      example: { body: newPaymentRefundExample, answer: paymentRefundExample, pending: pendingRefundExample },
      scope: 'payments:write',
      creates: 'rfd',
      startsSaga: true,
      waits: true,
      params: refundedPayment,
      body: newPaymentRefund,
      answers: { 201: refund, 202: refund },
      refusals,
      handler: (call) => {
        const { amount = null, reason } = call.body;
        const request = { amount, lines: [], charges: false, restock: false };
        return refundPayment(call.params.id, { request, reason }, call, deps);
      },
    }),
  ];
}

function readRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/refunds',
      tag: 'Refunds',
      summary: 'List refunds',
      description: 'Lists the refunds, newest first.',
      example: { answer: pageExample(refundExample) },
      scope: 'payments:read',
      query: refundQuery,
      answers: { 200: refundPage },
      handler: async ({ query }) => {
        const page = pageRequest('refunds', query);
        if (page.kind === 'refused') return page;
        const { orderId, paymentId, status } = query;
        const found = await listRefunds(deps.connection.db, { ...page, orderId, paymentId, status });
        return answer(200, viewPage(found, viewRefund));
      },
    }),
    route({
      method: 'get',
      path: '/api/refunds/:id',
      tag: 'Refunds',
      summary: 'Read a refund',
      description: 'Returns one refund as it stands.',
      example: { answer: refundExample },
      scope: 'payments:read',
      params: refundId,
      answers: { 200: refund },
      refusals: ['not_found', 'unavailable'],
      handler: (call) => readSaga(refunds, call.params.id, call, deps),
    }),
  ];
}
