/** Starts `refund/<id>` and answers once the refund is settled, or the processor says that it is pending. */
import { getOrder } from '../../db/orders/queries.js';
import { getPayment } from '../../db/payments/queries.js';
import type { RefundRequest } from '../../domain/payments/refunds.js';
import { type RefundInput, refundWorkflowId } from '../../workflows/refund/contract.js';
import type { ApiDeps } from '../deps.js';
import { now } from '../http/instants.js';
import { type Answer, fieldRefused, type Refused, type Reply, refuse, refuseFields } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettings } from '../temporal/retry-settings.js';
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
  if (!order) return refuse('not_found', 'no such order');
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
  if (!payment) return refuse('not_found', 'no such payment');
  return await start(
    { ...wanted, orderId: null, paymentId },
    { customerId: payment.customerId, problem: null },
    call,
    deps,
  );
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
  if (problem !== null && !(await hasBegun(refunds, refundId, call, deps))) return problem;
  const input: RefundInput = {
    refundId,
    ...of,
    retry: retrySettings(deps.settings),
    caller: call.caller,
    requestedAt: now(),
  };
  return await startSaga(
    refunds,
    input,
    (updateCall) => deps.sagas.startRefund(input, customerId, updateCall),
    call,
    deps,
  );
}
