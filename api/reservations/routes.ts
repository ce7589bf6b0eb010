/** Direct reservations: holds that are made, confirmed and cancelled without an order. */

import type { z } from 'zod';
import { findProducts } from '../../db/catalogue/queries.js';
import { expireOverdue, getReservation } from '../../db/stock/reservations.js';
import { getTransfer } from '../../db/transfers/queries.js';
import type { ReservationStatus } from '../../domain/stock.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, type Reply, refuse } from '../http/reply.js';
import { type Call, type CallContext, type Route, route } from '../http/route.js';
import { refuseStock } from '../http/stock-refusals.js';
import { exampleSku, reservationExample } from '../openapi/examples/catalogue.js';
import { expiredReservations, newReservation, type Reservation, reservation, reservationId } from './schemas.js';

export function reservationRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/reservations',
      tag: 'Reservations',
      summary: 'Hold goods for a while',
      description:
        'Reserves available goods without an order. Confirm the hold to take the goods out of stock, or cancel it to give them back; otherwise it expires at `expiresAt`.',
      example: { body: { sku: exampleSku, quantity: 2, reference: 'basket 5117' }, answer: reservationExample },
      scope: 'inventory:write',
      creates: 'rsv',
      body: newReservation,
      answers: { 201: reservation },
      refusals: ['unknown_sku', 'unknown_location', 'product_not_active', 'insufficient_stock'],
      handler: (call) => reserve(call, deps),
    }),
    route({
      method: 'get',
      path: '/api/reservations/:id',
      tag: 'Reservations',
      summary: 'Read a reservation',
      description: 'Returns one reservation, including those of orders and transfers.',
      example: { answer: reservationExample },
      scope: 'inventory:read',
      params: reservationId,
      answers: { 200: reservation },
      refusals: ['not_found'],
      handler: async ({ params }) => {
        const found = await getReservation(db, params.id);
        return found ? answer(200, found) : refuse('not_found', 'no such reservation');
      },
    }),
    route({
      method: 'post',
      path: '/api/reservations/expire',
      tag: 'Reservations',
      summary: 'Expire overdue reservations',
      description: 'Releases all goods whose hold is past its `expiresAt` now. A schedule does the same regularly.',
      example: { answer: { expired: 3 } },
      scope: 'inventory:write',
      answers: { 200: expiredReservations },
      refusals: [],
      handler: async ({ caller }) => answer(200, { expired: await expireOverdue(db, deps.ledger, caller.actor) }),
    }),
    ...(['confirm', 'cancel'] as const).map((verb) =>
      route({
        method: 'post',
        path: `/api/reservations/:id/${verb}`,
        tag: 'Reservations',
        ...decisionTexts[verb],
        scope: 'inventory:write',
        params: reservationId,
        answers: { 200: reservation },
        refusals: ['not_found', 'reservation_decided', 'invalid_state'],
        handler: (call) => decide(call.params.id, verb, call, deps),
      }),
    ),
  ];
}

async function reserve(
  call: Call<unknown, unknown, z.output<typeof newReservation>>,
  { connection: { db }, ledger, settings }: ApiDeps,
): Promise<Reply<Answer<201, Reservation>>> {
  const { sku, quantity, location, expiresInSeconds, reference } = call.body;
  // What an earlier attempt has reserved stays reserved, even if the product is no longer active.
  const [product] = await findProducts(db, [sku]);
  if (product && product.status !== 'active' && !call.resumed)
    return refuse('product_not_active', `product ${sku} is ${product.status}`, { sku });
  const id = call.ids.resource;
  const [result] = await ledger.apply([
    {
      key: `api/${call.ids.update}`,
      actor: call.caller.actor,
      reference: reference ?? null,
      commands: [
        {
          kind: 'reserve',
          reservationId: id,
          sku,
          location,
          quantity,
          holdSeconds: expiresInSeconds ?? settings.reservationTtlSeconds,
        },
      ],
    },
  ]);
  if (result?.outcome === 'refused') return refuseStock(result.refusal, false);
  if (!result?.replayed) logTransition(call, id, null, 'pending');
  const made = await getReservation(db, id);
  if (!made) throw new Error(`reservation ${id} is missing although the ledger made it`);
  return answer(201, made, { Location: `/api/reservations/${id}` });
}

const decisionTexts = {
  confirm: {
    summary: 'Confirm a reservation',
    description:
      'Takes the held goods out of stock. Confirming again changes nothing and gets the same answer. A hold that is cancelled, or past its `expiresAt`, cannot be confirmed: 409 `reservation_decided`. The hold of an order or transfer is decided only with that order or transfer: 409 `invalid_state`.',
    example: { answer: { ...reservationExample, status: 'confirmed', decidedAt: '2026-11-21T05:43:10.500213Z' } },
  },
  cancel: {
    summary: 'Cancel a reservation',
    description:
      'Releases the held goods. Cancelling again changes nothing and gets the same answer. A confirmed hold cannot be cancelled: 409 `reservation_decided`. The hold of an order or transfer is decided only with that order or transfer: 409 `invalid_state`.',
    example: { answer: { ...reservationExample, status: 'cancelled', decidedAt: '2026-11-21T05:43:10.500213Z' } },
  },
} as const;

const statusAfter = { confirm: 'confirmed', cancel: 'cancelled' } as const;

async function decide(
  id: string,
  verb: keyof typeof statusAfter,
  call: CallContext,
  { connection: { db }, ledger }: ApiDeps,
): Promise<Reply<Answer<200, Reservation>>> {
  const before = await getReservation(db, id);
  if (!before) return refuse('not_found', 'no such reservation');
  if (before.orderId !== null)
    return refuse('invalid_state', 'this hold belongs to an order; confirm or cancel the order', {
      orderId: before.orderId,
    });
  const transfer = before.reference?.startsWith('trf_') ? await getTransfer(db, before.reference) : null;
  if (transfer?.reservationId === id)
    return refuse('invalid_state', 'this hold belongs to a transfer; cancel the transfer', { transferId: transfer.id });
  const [result] = await ledger.apply([
    {
      key: `api/${call.ids.update}`,
      actor: call.caller.actor,
      reference: before.reference,
      commands: [{ kind: verb, reservationId: id }],
    },
  ]);
  const alreadyDecided =
    result?.outcome === 'refused' &&
    result.refusal.code === 'reservation_decided' &&
    result.refusal.status === statusAfter[verb];
  if (result?.outcome === 'refused' && !alreadyDecided) return refuseStock(result.refusal, false);
  const changed = result?.outcome === 'done' && !result.replayed && result.movements.length > 0;
  if (changed) logTransition(call, id, 'pending', statusAfter[verb]);
  const after = await getReservation(db, id);
  return answer(200, after ?? before);
}

function logTransition(
  call: CallContext,
  reservationId: string,
  from: ReservationStatus | null,
  to: ReservationStatus,
): void {
  call.note({ reservationId });
  const { requestId } = call.caller;
  call.log.info({ reservationId, from, to, requestId, actor: call.caller.actor }, 'reservation changed');
}
