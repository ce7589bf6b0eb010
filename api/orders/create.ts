/** POST /api/orders: starts `order/<id>` and answers its first decision. */
import type { z } from 'zod';
import { getOrder, type StoredOrder } from '../../db/orders/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { type OrderAnswer, type OrderInput, orderWorkflowId } from '../../workflows/order/contract.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { now } from '../http/instants.js';
import { type Answer, answer, type Reply, refuseFields, refuseWith, unavailable } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettingsOf } from '../temporal/retry-settings.js';
import { checkLines } from './check-lines.js';
import { pendingOrder } from './read.js';
import type { newOrder, Order } from './schemas.js';
import { viewOrder } from './view.js';

type Opened = Reply<Answer<201 | 202, Order>>;

export async function openOrder(body: z.output<typeof newOrder>, call: CallContext, deps: ApiDeps): Promise<Opened> {
  const { db } = deps.connection;
  const { ids } = call;
  const orderId = ids.resource;
  const workflowId = orderWorkflowId(orderId);
  call.note({ orderId, workflowId });
  if (body.confirm && body.lines.length === 0)
    return refuseFields('validation_failed', [
      { pointer: '/confirm', code: 'invalid', detail: 'an order without lines cannot be confirmed' },
    ]);

  // A saga that an earlier try has started goes on whatever has become of the catalogue since.
  const begun = call.resumed && (await alreadyBegun(orderId, deps));
  const checked = await checkLines(db, body.lines, (line) => `/lines/${line}`);
  if (!begun) {
    if (checked.kind === 'refused') return checked;
    if (body.confirm && checked.total > 0 && !body.payment)
      return refuseFields('payment_method_required', [
        { pointer: '/payment', code: 'required', detail: 'is required: the total is above 0' },
      ]);
  }

  const input = orderInput(orderId, body, call, deps);
  const total = checked.kind === 'accepted' ? checked.total : 0;
  const outcome = await deps.sagas.startOrder(input, total, { updateId: ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, { orderId });
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused') return refuseWith(outcome.answer.refusal);

  const headers = { Location: `/api/orders/${orderId}` };
  const stored = await getOrder(db, orderId);
  if (outcome.kind === 'late') return answer(202, stored ? viewOrder(stored) : await pendingOrder(db, input), headers);
  if (outcome.kind === 'answered') return stored ? answer(201, viewOrder(stored), headers) : unavailable('Postgres');
  const past = await deps.sagas.pastAnswer<OrderAnswer>(workflowId, ids.update);
  return past?.kind === 'refused' ? refuseWith(past.refusal) : settledReply(stored, headers);
}

function orderInput(
  orderId: string,
  body: z.output<typeof newOrder>,
  call: CallContext,
  { settings }: ApiDeps,
): OrderInput {
  const { id, name, email } = body.customer ?? {};
  return {
    orderId,
    customer: body.customer
      ? { ...(id !== undefined && { id }), ...(name !== undefined && { name }), ...(email !== undefined && { email }) }
      : null,
    lines: body.lines.map((line, index) => ({ ...line, reservationId: childId('rsv', orderId, index) })),
    payment: chosenPayment(body.payment),
    confirm: body.confirm,
    holdSeconds: settings.reservationTtlSeconds,
    draftSeconds: settings.draftTtlSeconds,
    supplierRecheckSeconds: settings.supplierRecheckSeconds,
    supplierMaxDelayed: settings.supplierMaxDelayed,
    pace: retrySettingsOf(settings),
    caller: call.caller,
    requestedAt: now(),
    inOneGo: true,
  };
}

/** The choice without members that are undefined. */
export function chosenPayment(choice: z.output<typeof newOrder>['payment']): OrderInput['payment'] {
  if (!choice) return null;
  if ('method' in choice) return { method: choice.method };
  const { cardToken, backupCardToken } = choice;
  return { cardToken, ...(backupCardToken !== undefined && { backupCardToken }) };
}

async function alreadyBegun(orderId: string, { connection, sagas }: ApiDeps): Promise<boolean> {
  if (await getOrder(connection.db, orderId)) return true;
  const presence = await sagas.presence(orderWorkflowId(orderId));
  return presence === 'running' || presence === 'ended';
}

/** The answer for an order whose saga is over and does not remember what it said. */
function settledReply(stored: StoredOrder | null, headers: Record<string, string>): Opened {
  if (!stored) return unavailable('the order');
  const order = viewOrder(stored);
  if (order.failure && isRefusalCode(order.failure.code))
    return refuseWith(refusal(order.failure.code, order.failure.detail), { orderId: order.id });
  // Suppliers were asked, and said no before anybody was told that the order waits for them.
  if (order.failure && order.supplierReference === null)
    return refuseWith(refusal('insufficient_stock', order.failure.detail), { orderId: order.id });
  return answer(201, order, headers);
}
