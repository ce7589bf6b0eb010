/** Payments that belong to no order: `payment/<id>`. */

import type { z } from 'zod';
import { getPayment, listPayments, type PaymentView, type StoredPayment } from '../../db/payments/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import type { Settings } from '../../domain/settings.js';
import { type PaymentAnswer, type PaymentInput, paymentWorkflowId } from '../../workflows/payment/contract.js';
import type { ApiDeps } from '../deps.js';
import { now } from '../http/instants.js';
import { pageRequest } from '../http/pages.js';
import { answer, type Reply, refuse, refuseWith, unavailable } from '../http/reply.js';
import { type CallContext, type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import {
  newPaymentExample,
  ownPaymentExample,
  paymentExample,
  pendingPaymentExample,
} from '../openapi/examples/sales.js';
import { newPayment, payment, paymentId, paymentPage, paymentQuery } from './schemas.js';

export function paymentRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/payments',
      tag: 'Payments',
      summary: 'Take a payment',
      description:
        'Charges a card for something that is no order of Holdfast. If the primary card is refused the backup card is tried. A refused payment is 402, and nothing stays authorized.',
      example: { body: newPaymentExample, answer: ownPaymentExample, pending: pendingPaymentExample },
      scope: 'payments:write',
      creates: 'pay',
      waits: true,
      body: newPayment,
      answers: { 201: payment, 202: payment },
      refusals: [
        'payment_declined',
        'insufficient_funds',
        'fraud_suspected',
        'all_payment_attempts_failed',
        'unavailable',
      ],
      handler: (call) => pay(call.body, call, deps),
    }),
    route({
      method: 'get',
      path: '/api/payments',
      tag: 'Payments',
      summary: 'List payments',
      description: 'Lists all payments, those of orders too, the newest first.',
      example: { answer: pageExample(paymentExample) },
      scope: 'payments:read',
      query: paymentQuery,
      answers: { 200: paymentPage },
      handler: async ({ query }) => {
        const page = pageRequest('payments', query);
        return page.kind === 'refused'
          ? page
          : answer(200, await listPayments(db, { ...page, customerId: query.customerId }));
      },
    }),
    route({
      method: 'get',
      path: '/api/payments/:id',
      tag: 'Payments',
      summary: 'Read a payment',
      description: 'Answers one payment as it stands, of an order or not.',
      example: { answer: paymentExample },
      scope: 'payments:read',
      params: paymentId,
      answers: { 200: payment },
      refusals: ['not_found', 'unavailable'],
      handler: async ({ params, note }) => {
        note({ paymentId: params.id });
        const found = await readPayment(params.id, deps);
        if (found.kind === 'unknown') return unavailable('Temporal');
        return found.kind === 'absent' ? refuse('not_found', 'no such payment') : answer(200, found.payment);
      },
    }),
  ];
}

async function pay(body: z.output<typeof newPayment>, call: CallContext, deps: ApiDeps): Promise<Reply> {
  const { db } = deps.connection;
  const { ids, caller } = call;
  const workflowId = paymentWorkflowId(ids.resource);
  call.note({ paymentId: ids.resource, workflowId });
  const input: PaymentInput = {
    paymentId: ids.resource,
    amount: body.amount,
    currency: body.currency,
    cardToken: body.cardToken,
    backupCardToken: body.backupCardToken ?? null,
    customerId: body.customerId ?? null,
    email: body.email ?? null,
    reference: body.reference ?? null,
    pace: paceOf(deps.settings),
    caller,
    requestedAt: now(),
  };
  const outcome = await deps.sagas.startPayment(input, { updateId: ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, { paymentId: ids.resource });
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused')
    return refuseWith(outcome.answer.refusal, { paymentId: ids.resource });

  const headers = { Location: `/api/payments/${ids.resource}` };
  const stored = await getPayment(db, ids.resource);
  if (outcome.kind === 'late') return answer(202, stored?.payment ?? pendingPayment(input), headers);
  if (outcome.kind === 'answered') return stored ? answer(201, stored.payment, headers) : unavailable('Postgres');
  const past = await deps.sagas.pastAnswer<PaymentAnswer>(workflowId, ids.update);
  return past?.kind === 'refused'
    ? refuseWith(past.refusal, { paymentId: ids.resource })
    : settledReply(stored, headers);
}

/** The answer for a payment whose saga is over. */
function settledReply(stored: StoredPayment | null, headers: Record<string, string>): Reply {
  if (!stored) return unavailable('the payment');
  const { payment: view, failure } = stored;
  if (failure && isRefusalCode(failure.code))
    return refuseWith(refusal(failure.code, failure.detail), { paymentId: view.id });
  return answer(201, view, headers);
}

type Found =
  | { readonly kind: 'found'; readonly payment: PaymentView }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

/** The payment as it stands; one whose saga has written nothing yet is `pending`. */
async function readPayment(id: string, { connection: { db }, sagas }: ApiDeps): Promise<Found> {
  const stored = await getPayment(db, id);
  if (stored) return { kind: 'found', payment: stored.payment };
  const workflowId = paymentWorkflowId(id);
  const presence = await sagas.presence(workflowId);
  if (presence === 'absent' || presence === 'unknown') return { kind: presence };
  const started = await sagas.startInput<PaymentInput>(workflowId);
  // It may have been written down meanwhile.
  const now = await getPayment(db, id);
  if (now) return { kind: 'found', payment: now.payment };
  if (started.kind !== 'input') return { kind: started.kind };
  return { kind: 'found', payment: pendingPayment(started.input) };
}

function pendingPayment(input: PaymentInput): PaymentView {
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
    refunded: 0,
    providerReference: null,
    createdAt: input.requestedAt,
  };
}

/** The settings that shape a saga. */
export function paceOf(settings: Settings): PaymentInput['pace'] {
  return { retryBaseScale: settings.retryBaseScale, gatewayTimeoutSeconds: settings.gatewayTimeoutSeconds };
}
