/** PATCH /api/orders/:id: changes what an order carries besides its goods and its money, at any time. */
import type { z } from 'zod';
import { editOrder } from '../../db/orders/details.js';
import { getOrder } from '../../db/orders/queries.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, type Reply, refuse } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { findSaga, notFound } from '../temporal/saga-resource.js';
import { givenAddress } from './create.js';
import { orders } from './read.js';
import type { Order, orderChange } from './schemas.js';
import { viewOrder } from './view.js';

export async function changeOrder(
  orderId: string,
  { metadata, tags, note, shippingAddress }: z.output<typeof orderChange>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<200, Order>>> {
  const { sql, db } = deps.connection;
  call.note({ orderId });
  const change = {
    ...(metadata !== undefined && { metadata }),
    ...(tags !== undefined && { tags }),
    ...(note !== undefined && { note }),
    ...(shippingAddress !== undefined && { shippingAddress: givenAddress(shippingAddress) }),
  };
  const { actor, traceparent } = call.caller;
  const [, traceId = ''] = traceparent.split('-');
  const outcome = await editOrder(sql, orderId, change, { actor, traceId });
  const stored = outcome === 'done' ? await getOrder(db, orderId) : null;
  if (stored) return answer(200, viewOrder(stored));
  const found = await findSaga(orders, orderId, deps);
  if (found.kind !== 'found') return notFound(orders, found.kind);
  const { status } = found.view;
  return refuse('invalid_order_state', 'no worker has opened this order yet; try again', {
    from: status,
    to: status,
    orderId,
  });
}
