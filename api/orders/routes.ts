/** Orders: `order/<id>`. */
import { z } from 'zod';
import { listOrders, orderTimeline } from '../../db/orders/queries.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { pageRequest, refuseCursor, viewPage } from '../http/pages.js';
import { answer, refuseWith } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageQuery } from '../http/schemas.js';
import { exampleSku, pageExample } from '../openapi/examples/catalogue.js';
import {
  cancelledOrderExample,
  confirmingOrderExample,
  newOrderExample,
  orderExample,
  pendingOrderExample,
  reservedOrderExample,
  timelineExample,
} from '../openapi/examples/sales.js';
import { refuseTokens } from '../shapes/payment.js';
import { findSaga, notFound, readSaga } from '../temporal/saga-resource.js';
import { changeOrder } from './change.js';
import { checkLines } from './check-lines.js';
import { commandOrder } from './commands.js';
import { chosenLine, chosenPayment, openOrder } from './create.js';
import { orders } from './read.js';
import {
  cancellation,
  confirmation,
  newLine,
  newOrder,
  order,
  orderChange,
  orderId,
  orderPage,
  orderQuery,
  timeline,
} from './schemas.js';
import { viewOrder, viewTimelineEntry } from './view.js';

const paymentRefusals = [
  'payment_method_required',
  'payment_declined',
  'insufficient_funds',
  'fraud_suspected',
  'all_payment_attempts_failed',
  'customer_limit_reached',
] as const;
const lineRefusals = [
  'unknown_sku',
  'unknown_location',
  'product_not_active',
  'price_not_allowed',
  'insufficient_stock',
] as const;

export function orderRoutes(deps: ApiDeps): Route[] {
  return [...readRoutes(deps), ...commandRoutes(deps)];
}

function readRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'get',
      path: '/api/orders',
      tag: 'Orders',
      summary: 'List orders',
      description: 'Lists the orders, newest first. Filters combine: an order on the list passes all of them.',
      example: { answer: pageExample(orderExample) },
      scope: 'orders:read',
      query: orderQuery,
      answers: { 200: orderPage },
      handler: async ({ query }) => {
        const page = pageRequest('orders', query);
        if (page.kind === 'refused') return page;
        return answer(200, viewPage(await listOrders(db, { ...query, ...page }), viewOrder));
      },
    }),
    route({
      method: 'get',
      path: '/api/orders/:id',
      tag: 'Orders',
      summary: 'Read an order',
      description: 'Returns one order as it stands. An order that no worker has picked up yet is `pending`.',
      example: { answer: orderExample },
      scope: 'orders:read',
      params: orderId,
      answers: { 200: order },
      refusals: ['not_found', 'unavailable'],
      handler: (call) => readSaga(orders, call.params.id, call, deps),
    }),
    route({
      method: 'get',
      path: '/api/orders/:id/timeline',
      tag: 'Orders',
      summary: "Read an order's timeline",
      description:
        'Lists every change of status and every ignored signal, oldest first, with reason, actor and trace id.',
      example: { answer: timelineExample },
      scope: 'orders:read',
      params: orderId,
      query: z.strictObject(pageQuery),
      answers: { 200: timeline },
      refusals: ['not_found', 'unavailable'],
      handler: async ({ params, query, note }) => {
        note({ orderId: params.id });
        const page = pageRequest('timeline', query);
        if (page.kind === 'refused') return page;
        const after = page.cursor === null ? '0' : page.cursor.id;
        // 15 digits: exact as a JavaScript number, and within a bigint of Postgres.
        if (!/^\d{1,15}$/.test(after)) return refuseCursor();
        const entries = await orderTimeline(db, { id: params.id, limit: page.limit, after: Number(after) });
        if (entries) return answer(200, viewPage(entries, viewTimelineEntry));
        const found = await findSaga(orders, params.id, deps);
        return found.kind === 'found' ? answer(200, { items: [], nextCursor: null }) : notFound(orders, found.kind);
      },
    }),
  ];
}

function commandRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/orders',
      tag: 'Orders',
      summary: 'Open an order',
      description:
        'Without lines the order is a `draft`. With lines, either all of them are reserved or none. With `confirm: true` the order is also paid in the same call. If stock is short and every short product has an active supplier, the order is `awaiting_restock` and continues by itself; otherwise it fails with 409 `insufficient_stock`. A refused payment is answered with 402.\n\nPrices, discounts, taxes and charges are kept as given and checked to the cent; Holdfast computes no taxes. A second order with the same `externalReference` is 409 `already_exists` with the `orderId` of the first, unless the first failed.',
      example: { body: newOrderExample, answer: orderExample, pending: pendingOrderExample },
      scope: 'orders:write',
      creates: 'ord',
      startsSaga: true,
      waits: true,
      body: newOrder,
      answers: { 201: order, 202: order },
      refusals: [...lineRefusals, ...paymentRefusals, 'total_mismatch', 'already_exists', 'unavailable'],
      handler: (call) => openOrder(call.body, call, deps),
    }),
    route({
      method: 'patch',
      path: '/api/orders/:id',
      tag: 'Orders',
      summary: 'Change the details of an order',
      description:
        'Replaces the fields in the body and leaves the others as they are, whatever the status of the order. Null removes a note or a shipping address. The timeline names the changed fields.',
      example: {
        body: { tags: ['gift'], note: 'Wrap it.' },
        answer: { ...orderExample, tags: ['gift'], note: 'Wrap it.' },
      },
      scope: 'orders:write',
      params: orderId,
      body: orderChange,
      answers: { 200: order },
      refusals: ['not_found', 'invalid_order_state', 'unavailable'],
      handler: (call) => changeOrder(call.params.id, call.body, call, deps),
    }),
    route({
      method: 'post',
      path: '/api/orders/:id/lines',
      tag: 'Orders',
      summary: 'Add a line',
      description:
        'Adds a line to a `draft` or `reserved` order and reserves its stock. The hold time of the whole order starts over. If stock is short, the order stays as it was.',
      example: {
        body: { sku: exampleSku, quantity: 2 },
        answer: reservedOrderExample,
        pending: pendingOrderExample,
      },
      scope: 'orders:write',
      waits: true,
      params: orderId,
      body: newLine,
      answers: { 201: order, 202: order },
      refusals: ['not_found', 'invalid_order_state', ...lineRefusals, 'unavailable'],
      handler: async (call) => {
        const checked = await checkLines(db, {
          lines: [chosenLine(call.body)],
          scopes: call.key.scopes,
          pointerTo: () => '',
        });
        if (checked.kind === 'refused' && !call.resumed)
          return refuseWith(checked.refusal, { orderId: call.params.id });
        const line = { ...chosenLine(call.body), reservationId: childId('rsv', call.ids.update, 0) };
        return commandOrder(call.params.id, 'addLine', { line, caller: call.caller }, call, deps);
      },
    }),
    route({
      method: 'post',
      path: '/api/orders/:id/confirm',
      tag: 'Orders',
      summary: 'Pay and confirm an order',
      description:
        'Charges the card and confirms the order. A refused payment is answered with 402 and leaves the order `reserved` until its hold expires, so that another card can be tried; after the third refusal the order is `failed`. Confirming a confirmed order does nothing and answers 200. An order with a total over 0 needs a payment, either here or when it is opened.',
      example: { body: { payment: { cardToken: 'tok_visa' } }, answer: orderExample, pending: confirmingOrderExample },
      scope: 'orders:write',
      waits: true,
      params: orderId,
      body: confirmation,
      answers: { 200: order, 202: order },
      refusals: ['not_found', 'invalid_order_state', ...paymentRefusals, 'unavailable'],
      handler: async (call) => {
        const request = { payment: chosenPayment(call.body.payment), caller: call.caller };
        const foreign = refuseTokens(deps.settings.paymentGateway, request.payment, '/payment');
        if (foreign) return foreign;
        return await commandOrder(call.params.id, 'confirm', request, call, deps);
      },
    }),
    route({
      method: 'post',
      path: '/api/orders/:id/cancel',
      tag: 'Orders',
      summary: 'Cancel an order',
      description:
        'Cancels an order that is not confirmed and frees its stock. While the order is being paid, a cancellation wins until the capture is sent; after that it waits for the outcome. A confirmed order cannot be cancelled: 409 `invalid_order_state`.',
      example: { body: { reason: 'ordered twice' }, answer: cancelledOrderExample, pending: reservedOrderExample },
      scope: 'orders:write',
      waits: true,
      params: orderId,
      body: cancellation,
      answers: { 200: order, 202: order },
      refusals: ['not_found', 'invalid_order_state', 'unavailable'],
      handler: (call) => {
        const request = { reason: call.body.reason, caller: call.caller };
        return commandOrder(call.params.id, 'cancel', request, call, deps);
      },
    }),
  ];
}
