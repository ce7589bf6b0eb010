/** Commands to an order that exists: one more line, confirm, cancel. */
import type { ApiDeps } from '../deps.js';
import type { Reply } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { commandSaga } from '../temporal/saga-resource.js';
import { orders } from './read.js';

/** The status that each command leads to. */
const leadsTo = { addLine: 'reserved', confirm: 'confirmed', cancel: 'cancelled' } as const;

/** Gives a command to the order's saga, and answers with the order as it stands then. */
export function commandOrder(
  orderId: string,
  update: keyof typeof leadsTo,
  request: object,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply> {
  const to = leadsTo[update];
  return commandSaga(
    orders,
    orderId,
    {
      to,
      successStatus: update === 'addLine' ? 201 : 200,
      ask: (asking) => deps.sagas.updateOrder(orderId, update, request, asking),
      // Each line is one more; an order is confirmed or cancelled once.
      isDone: ({ status }) => update !== 'addLine' && status === to,
      insteadWhenFull: 'confirm or cancel it, or open another one',
    },
    call,
    deps,
  );
}
