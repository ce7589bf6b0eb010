/** Subscriptions: `subscription/<id>`. */
import { listBillingRecords, listSubscriptions } from '../../db/subscriptions/queries.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import {
  billingRecordExample,
  cancelledAtEndExample,
  changedSubscriptionExample,
  newSubscriptionExample,
  pausedSubscriptionExample,
  pendingSubscriptionExample,
  planExample,
  subscriptionExample,
} from '../openapi/examples/subscriptions.js';
import { findSaga, notFound, readSaga } from '../temporal/saga-resource.js';
import { cancelSubscription, changePlan, pauseSubscription, replaceCards, resumeSubscription } from './commands.js';
import { subscribe } from './create.js';
import { subscriptions, viewRecord, viewSubscription } from './read.js';
import {
  billingRecordPage,
  cancellation,
  changedSubscription,
  newCards,
  newPlan,
  newSubscription,
  recordQuery,
  subscription,
  subscriptionId,
  subscriptionPage,
  subscriptionQuery,
} from './schemas.js';

export function subscriptionRoutes(deps: ApiDeps): Route[] {
  return [createRoute(deps), ...readRoutes(deps), ...planRoutes(deps), ...pausingRoutes(deps)];
}

/** Why a card is not charged. */
const declines = [
  'payment_declined',
  'insufficient_funds',
  'fraud_suspected',
  'all_payment_attempts_failed',
  'unavailable',
] as const;
const common = {
  tag: 'Subscriptions',
  scope: 'payments:write',
  waits: true,
  params: subscriptionId,
  answers: { 200: subscription, 202: subscription },
} as const;

function createRoute(deps: ApiDeps): Route {
  return route({
    method: 'post',
    path: '/api/subscriptions',
    tag: 'Subscriptions',
    summary: 'Start a subscription',
    description:
      'Stores the cards and charges the first period. With a later `startAt` nothing is charged before then. A refused first charge is answered with 402; the subscription is kept as `cancelled`, with its failure.',
    example: { body: newSubscriptionExample, answer: subscriptionExample, pending: pendingSubscriptionExample },
    scope: 'payments:write',
    creates: 'sub',
    startsSaga: true,
    waits: true,
    body: newSubscription,
    answers: { 201: subscription, 202: subscription },
    refusals: [...declines, 'customer_limit_reached'],
    handler: (call) => subscribe(call.body, call, deps),
  });
}

function readRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'get',
      path: '/api/subscriptions',
      tag: 'Subscriptions',
      summary: 'List subscriptions',
      description: 'Lists the subscriptions, newest first.',
      example: { answer: pageExample(subscriptionExample) },
      scope: 'payments:read',
      query: subscriptionQuery,
      answers: { 200: subscriptionPage },
      handler: async ({ query }) => {
        const page = pageRequest('subscriptions', query);
        if (page.kind === 'refused') return page;
        const { customerId, status } = query;
        return answer(200, viewPage(await listSubscriptions(db, { ...page, customerId, status }), viewSubscription));
      },
    }),
    route({
      method: 'get',
      path: '/api/subscriptions/:id',
      tag: 'Subscriptions',
      summary: 'Read a subscription',
      description: 'Returns one subscription as it stands.',
      example: { answer: subscriptionExample },
      scope: 'payments:read',
      params: subscriptionId,
      answers: { 200: subscription },
      refusals: ['not_found', 'unavailable'],
      handler: (call) => readSaga(subscriptions, call.params.id, call, deps),
    }),
    route({
      method: 'get',
      path: '/api/subscriptions/:id/billing-records',
      tag: 'Subscriptions',
      summary: 'List what a subscription was billed',
      description: 'Lists the billing records of a subscription, newest first: one for each period and each change.',
      example: { answer: pageExample(billingRecordExample) },
      scope: 'payments:read',
      params: subscriptionId,
      query: recordQuery,
      answers: { 200: billingRecordPage },
      refusals: ['not_found', 'unavailable'],
      handler: async (call) => {
        const page = pageRequest('billing_records', call.query);
        if (page.kind === 'refused') return page;
        const subscriptionId = call.params.id;
        const found = await findSaga(subscriptions, subscriptionId, deps);
        if (found.kind !== 'found') return notFound(subscriptions, found.kind);
        return answer(200, viewPage(await listBillingRecords(db, { ...page, subscriptionId }), viewRecord));
      },
    }),
  ];
}

function planRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/api/subscriptions/:id/change',
      summary: 'Change the plan of a subscription',
      description:
        'Credits the rest of the period at the old price and charges it at the new one, to the second. A difference above 0 is charged now; if the card is refused nothing changes, and the answer is 402. One below 0 is credit for the next records. Another interval starts a new period now.',
      example: {
        body: { plan: planExample },
        answer: changedSubscriptionExample,
        pending: { ...subscriptionExample, proration: null },
      },
      body: newPlan,
      answers: { 200: changedSubscription, 202: changedSubscription },
      refusals: ['not_found', 'invalid_state', ...declines, 'customer_limit_reached'],
      handler: (call) => changePlan(call.params.id, call.body.plan, call, deps),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/subscriptions/:id/payment-method',
      summary: 'Replace the cards of a subscription',
      description:
        'Stores other cards for its next payments. If it is `past_due`, the first card is tried at once. A card that cannot be stored is answered with 402.',
      example: { body: { cardToken: 'tok_mastercard' }, answer: subscriptionExample },
      body: newCards,
      refusals: ['not_found', 'invalid_state', ...declines],
      handler: (call) => replaceCards(call.params.id, call.body, call, deps),
    }),
  ];
}

function pausingRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/api/subscriptions/:id/cancel',
      summary: 'Cancel a subscription',
      description: 'Ends it now, or with its period. Nothing is refunded.',
      example: { body: { atPeriodEnd: true }, answer: cancelledAtEndExample },
      body: cancellation,
      refusals: ['not_found', 'invalid_state', 'unavailable'],
      handler: (call) => cancelSubscription(call.params.id, call.body.atPeriodEnd ?? false, call, deps),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/subscriptions/:id/pause',
      summary: 'Pause a subscription',
      description: 'Ends its period now, without a refund. Nothing is charged until it is resumed.',
      example: { answer: pausedSubscriptionExample },
      refusals: ['not_found', 'invalid_state', 'unavailable'],
      handler: (call) => pauseSubscription(call.params.id, call, deps),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/subscriptions/:id/resume',
      summary: 'Resume a subscription',
      description:
        'Starts a period of a paused or unpaid subscription now, and charges it. Withdraws a cancellation at the end of the period.',
      example: { answer: subscriptionExample },
      refusals: ['not_found', 'invalid_state', ...declines, 'customer_limit_reached'],
      handler: (call) => resumeSubscription(call.params.id, call, deps),
    }),
  ];
}
