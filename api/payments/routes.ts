/** Payments: reading all of them, and taking those without an order (`payment/<id>`). */

import type { z } from 'zod';
import { getPayment, listPayments } from '../../db/payments/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { customerLimits } from '../../domain/payments/limits.js';
import { presentFailure } from '../../domain/refusals.js';
import { type PaymentInput, paymentWorkflowId } from '../../workflows/payment/contract.js';
import type { ApiDeps } from '../deps.js';
import { now } from '../http/instants.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { type Answer, answer, type Reply } from '../http/reply.js';
import { type CallContext, type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import {
  newPaymentExample,
  ownPaymentExample,
  paymentExample,
  pendingPaymentExample,
} from '../openapi/examples/sales.js';
import { type Payment, payment, refuseTokens, viewPayment } from '../shapes/payment.js';
import { retrySettings } from '../temporal/retry-settings.js';
import { readSaga, type SagaResource, startSaga } from '../temporal/saga-resource.js';
import { newPayment, paymentId, paymentPage, paymentQuery } from './schemas.js';

export function paymentRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/payments',
      tag: 'Payments',
      summary: 'Take a payment',
      description:
        'Charges a card for something other than a Holdfast order. If the primary card is refused, the backup card is tried. A refused payment is answered with 402, and nothing stays authorized.',
      example: { body: newPaymentExample, answer: ownPaymentExample, pending: pendingPaymentExample },
      scope: 'payments:write',
      creates: 'pay',
      startsSaga: true,
      waits: true,
      body: newPayment,
      answers: { 201: payment, 202: payment },
      refusals: [
        'payment_declined',
        'insufficient_funds',
        'fraud_suspected',
        'all_payment_attempts_failed',
        'customer_limit_reached',
        'unavailable',
      ],
      handler: (call) => pay(call.body, call, deps),
    }),
    route({
      method: 'get',
      path: '/api/payments',
      tag: 'Payments',
      summary: 'List payments',
      description: 'Lists all payments, including those of orders, newest first.',
      example: { answer: pageExample(paymentExample) },
      scope: 'payments:read',
      query: paymentQuery,
      answers: { 200: paymentPage },
      handler: async ({ query }) => {
        const page = pageRequest('payments', query);
        return page.kind === 'refused'
          ? page
          : answer(200, viewPage(await listPayments(db, { ...page, customerId: query.customerId }), viewPayment));
      },
    }),
    route({
      method: 'get',
      path: '/api/payments/:id',
      tag: 'Payments',
      summary: 'Read a payment',
      description: 'Returns one payment as it stands, whether or not it belongs to an order.',
      example: { answer: paymentExample },
      scope: 'payments:read',
      params: paymentId,
      answers: { 200: payment },
      refusals: ['not_found', 'unavailable'],
      handler: (call) => readSaga(payments, call.params.id, call, deps),
    }),
  ];
}

async function pay(
  body: z.output<typeof newPayment>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, Payment>>> {
  const { paymentGateway } = deps.settings;
  const limits = customerLimits(deps.settings.payments);
  const foreign = refuseTokens(paymentGateway, body, '');
  if (foreign) return foreign;
  const paymentId = call.ids.resource;
  call.note({ paymentId, workflowId: paymentWorkflowId(paymentId) });
  const input: PaymentInput = {
    paymentId,
    gateway: paymentGateway,
    amount: body.amount,
    currency: body.currency,
    cardToken: body.cardToken,
    backupCardToken: body.backupCardToken ?? null,
    customerId: body.customerId ?? null,
    email: body.email ?? null,
    reference: body.reference ?? null,
    ...(limits && body.customerId !== undefined && { limits }),
    retry: retrySettings(deps.settings),
    caller: call.caller,
    requestedAt: now(),
  };
  return await startSaga(payments, input, (updateCall) => deps.sagas.startPayment(input, updateCall), call, deps);
}

const payments: SagaResource<Payment, PaymentInput> = {
  noun: 'payment',
  idMember: 'paymentId',
  path: '/api/payments',
  workflowId: paymentWorkflowId,
  stored: async (db, id) => {
    const stored = await getPayment(db, id);
    if (!stored) return null;
    const failure = presentFailure(stored);
    const view = viewPayment(stored);
    return { view, refusal: failure && isRefusalCode(failure.code) ? refusal(failure.code, failure.detail) : null };
  },
  pending: (_db, input) => pendingPayment(input),
  // Even if its workflow was terminated: the run that resumes it writes the payment.
  alwaysWritten: true,
};

function pendingPayment(input: PaymentInput): Payment {
  return {
    id: input.paymentId,
    status: 'pending',
    amount: input.amount,
    currency: input.currency,
    orderId: null,
    customerId: input.customerId,
    reference: input.reference,
    cardUsed: null,
    fraudScore: null,
    attempts: [],
    gateway: input.gateway ?? 'sandbox',
    refunded: 0,
    refundPending: 0,
    disputes: [],
    fraud: { score: null, rules: [] },
    providerReference: null,
    createdAt: input.requestedAt,
  };
}
