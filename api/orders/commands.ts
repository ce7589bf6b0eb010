/** What is asked of an order that exists: one more line, confirm, cancel. */
import { isSettled, type OrderStatus } from '../../domain/orders/states.js';
import { type orderUpdates, orderWorkflowId } from '../../workflows/order/contract.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, beingResumed, type Reply, refuse, refuseWith, unavailable } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { readOrder } from './read.js';
import type { Order } from './schemas.js';

export interface Wanted<Success extends 200 | 201> {
  readonly update: (typeof orderUpdates)['addLine' | 'confirm' | 'cancel'];
  readonly request: object;
  /** The status that the wish leads to; an order that has it already is answered as it is. */
  readonly to: OrderStatus;
  /** Whether the wish is granted to whoever asks for it again after the end. */
  readonly repeatable: boolean;
  readonly successStatus: Success;
}

type OrderReply<Success extends number> = Reply<Answer<Success | 202, Order>>;

/** Asks the saga, and answers with the order as it stands then. Where the saga is over, Postgres knows how it ended. */
export async function driveOrder<Success extends 200 | 201>(
  orderId: string,
  wanted: Wanted<Success>,
  call: CallContext,
  deps: ApiDeps,
): Promise<OrderReply<Success>> {
  const workflowId = orderWorkflowId(orderId);
  call.note({ orderId, workflowId });
  const asking = { updateId: call.ids.update, waitMs: call.waitMs };
  const outcome = await deps.sagas.updateOrder(orderId, wanted.update, wanted.request, asking);
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, { orderId });
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused')
    return refuseWith(outcome.answer.refusal, { orderId });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');

  const found = await readOrder(orderId, deps);
  if (found.kind === 'unknown') return unavailable('Temporal');
  if (found.kind === 'absent') return refuse('not_found', 'no such order');
  if (outcome.kind === 'answered') return answer(wanted.successStatus, found.order);
  if (outcome.kind === 'late') return answer(202, found.order, { Location: `/api/orders/${orderId}` });
  if (outcome.kind === 'full') {
    const from = found.order.status;
    const detail = 'the order has taken as many requests as it can; confirm or cancel it, or open another one';
    return refuse('invalid_order_state', detail, { from, to: wanted.to, orderId });
  }
  return afterTheEnd(found.order, wanted, call, deps);
}

async function afterTheEnd<Success extends 200 | 201>(
  order: Order,
  wanted: Wanted<Success>,
  call: CallContext,
  deps: ApiDeps,
): Promise<OrderReply<Success>> {
  const { id: orderId, status: from } = order;
  // A call that is repeated after a crash may have been answered by the saga before it ended.
  const past = call.resumed ? await deps.sagas.pastOrderAnswer(orderId, call.ids.update) : null;
  if (past?.kind === 'refused') return refuseWith(past.refusal, { orderId });
  if (past?.kind === 'done') return answer(wanted.successStatus, order);
  if (wanted.repeatable && from === wanted.to) return answer(wanted.successStatus, order);
  if (!isSettled(from)) return beingResumed('order', { orderId });
  return refuse('invalid_order_state', `an order that is ${from} cannot become ${wanted.to}`, {
    from,
    to: wanted.to,
    orderId,
  });
}
