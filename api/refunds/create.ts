/** Starts `refund/<id>` and answers once the refund is settled, or the processor says that it is pending. */
import { getOrder } from '../../db/orders/queries.js';
import { getPayment } from '../../db/payments/queries.js';
import type { RefundRequest } from '../../domain/payments/refunds.js';
import { refusalOf } from '../../domain/refusals.js';
import { orderWorkflowId } from '../../workflows/order/contract.js';
import { paymentWorkflowId } from '../../workflows/payment/contract.js';
import { type RefundInput, refundWorkflowId } from '../../workflows/refund/contract.js';
import type { ApiDeps } from '../deps.js';
import { now } from '../http/instants.js';
import {
  type Answer,
  fieldRefused,
  type Refused,
  type Reply,
  refuse,
  refuseFields,
  refuseWith,
  unavailable,
} from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettings } from '../temporal/retry-settings.js';
import type { UpdateCall } from '../temporal/saga-client.js';
import { hasBegun, startSaga } from '../temporal/saga-resource.js';
import { refunds } from './read.js';
import type { Refund } from './schemas.js';

export interface Wanted {
  readonly request: RefundRequest;
  readonly reason: string;
}

type RefundReply = Reply<Answer<201 | 202, Refund>>;

export async function refundOrder(
  orderId: string,
  wanted: Wanted,
  call: CallContext,
  deps: ApiDeps,
): Promise<RefundReply> {
  const order = await getOrder(deps.connection.db, orderId);
  if (!order)
    return await unwritten(orderWorkflowId(orderId), 'order', deps, () =>
      refuseWith(refusalOf('invalid_order_state', { from: 'pending', to: 'refunded' }), { orderId }),
    );
  const known = new Set(order.lines.map(({ sku }) => sku));
  const unknown = wanted.request.lines.flatMap(({ sku }, index) => (known.has(sku) ? [] : [{ sku, index }]));
  const problem =
    unknown.length === 0
      ? null
      : refuseFields(
          'validation_failed',
          unknown.map(({ sku, index }) =>
            fieldRefused(`/lines/${index}/sku`, 'validation_failed', { rule: 'line_of_order', sku }),
          ),
        );
  const about = { customerId: order.order.customerId, problem };
  return await start({ ...wanted, orderId, paymentId: null }, about, call, deps);
}

export async function refundPayment(
  paymentId: string,
  wanted: Wanted,
  call: CallContext,
  deps: ApiDeps,
): Promise<RefundReply> {
  const payment = await getPayment(deps.connection.db, paymentId);
  if (!payment)
    return await unwritten(paymentWorkflowId(paymentId), 'payment', deps, () =>
      refuseWith(refusalOf('invalid_state', { from: 'pending', to: 'refunded', paymentId })),
    );
  return await start(
    { ...wanted, orderId: null, paymentId },
    { customerId: payment.customerId, problem: null },
    call,
    deps,
  );
}

/** Why what Postgres does not have cannot be refunded: it does not exist, or no worker has opened it yet. */
async function unwritten(
  workflowId: string,
  noun: string,
  { sagas }: ApiDeps,
  tooEarly: () => Refused,
): Promise<Refused> {
  const presence = await sagas.presence(workflowId);
  if (presence === 'unknown') return unavailable('Temporal');
  return presence === 'running' ? tooEarly() : refuse('not_found', `no such ${noun}`);
}

interface About {
  readonly customerId: string | null;
  /** What is wrong with the request, unless an earlier call has begun the refund. */
  readonly problem: Refused | null;
}

async function start(
  of: Wanted & Pick<RefundInput, 'orderId' | 'paymentId'>,
  { customerId, problem }: About,
  call: CallContext,
  deps: ApiDeps,
): Promise<RefundReply> {
  const refundId = call.ids.resource;
  call.note({ refundId, workflowId: refundWorkflowId(refundId) });
  const { orderId, paymentId } = of;
  const about = orderId === null ? { paymentId } : { orderId };
  if (problem !== null && !(await hasBegun(refunds, refundId, call, deps)))
    return { ...problem, ...refuseWith(problem.refusal, about) };
  const input: RefundInput = {
    refundId,
    ...of,
    retry: retrySettings(deps.settings),
    caller: call.caller,
    requestedAt: now(),
  };
  const sent = (updateCall: UpdateCall) => deps.sagas.startRefund(input, customerId, updateCall);
  const reply = await startSaga(refunds, input, sent, call, deps);
  return reply.kind === 'refused' ? refuseWith(reply.refusal, about) : reply;
}
