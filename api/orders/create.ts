/** POST /api/orders: starts `order/<id>` and answers with its first decision. */
import type { z } from 'zod';
import { type OrderInput, orderWorkflowId } from '../../workflows/order/contract.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { now } from '../http/instants.js';
import { type Answer, type Reply, refuseFields } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { refuseTokens } from '../shapes/payment.js';
import { retrySettings } from '../temporal/retry-settings.js';
import { hasBegun, startSaga } from '../temporal/saga-resource.js';
import { checkLines } from './check-lines.js';
import { orders } from './read.js';
import type { newOrder, Order } from './schemas.js';

export async function openOrder(
  body: z.output<typeof newOrder>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, Order>>> {
  const { db } = deps.connection;
  const orderId = call.ids.resource;
  call.note({ orderId, workflowId: orderWorkflowId(orderId) });
  if (body.confirm && body.lines.length === 0)
    return refuseFields('validation_failed', [
      { pointer: '/confirm', code: 'invalid', detail: 'an order without lines cannot be confirmed' },
    ]);

  const foreign = refuseTokens(deps.settings.paymentGateway, chosenPayment(body.payment), '/payment');
  if (foreign) return foreign;

  // An order that an earlier call has begun is not checked against today's catalogue.
  const begun = await hasBegun(orders, orderId, call, deps);
  const checked = await checkLines(db, body.lines, (line) => `/lines/${line}`);
  if (!begun) {
    if (checked.kind === 'refused') return checked;
    if (body.confirm && checked.total > 0 && !body.payment)
      return refuseFields('payment_method_required', [
        { pointer: '/payment', code: 'required', detail: 'is required: the total is over 0' },
      ]);
  }

  const input = orderInput(orderId, body, call, deps);
  const total = checked.kind === 'accepted' ? checked.total : 0;
  return await startSaga(orders, input, (updateCall) => deps.sagas.startOrder(input, total, updateCall), call, deps);
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
    retry: retrySettings(settings),
    caller: call.caller,
    requestedAt: now(),
    singleActivity: true,
  };
}

/** The payment as the saga takes it: absent members instead of undefined ones. */
export function chosenPayment(choice: z.output<typeof newOrder>['payment']): OrderInput['payment'] {
  if (!choice) return null;
  if ('method' in choice) return { method: choice.method };
  const { cardToken, backupCardToken } = choice;
  return { cardToken, ...(backupCardToken !== undefined && { backupCardToken }) };
}
