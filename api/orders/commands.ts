/** Commands to an order that exists: add a line, confirm, cancel. */
import type { ApiDeps } from '../deps.js';
import type { Answer, Reply } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { commandSaga } from '../temporal/saga-resource.js';
import { orders } from './read.js';
import type { Order } from './schemas.js';

/** The status that each command leads to, and the HTTP status of its success. */
const commands = {
  addLine: { to: 'reserved', successStatus: 201 },
  confirm: { to: 'confirmed', successStatus: 200 },
  cancel: { to: 'cancelled', successStatus: 200 },
} as const;
type Commands = typeof commands;

/** Sends a command to the order's saga, and answers with the order as it stands then. */
export function commandOrder<Update extends keyof Commands>(
  orderId: string,
  update: Update,
  request: object,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<Commands[Update]['successStatus'] | 202, Order>>> {
  const { to, successStatus } = commands[update];
  return commandSaga(
    orders,
    orderId,
    {
      to,
      successStatus,
      send: (updateCall) => deps.sagas.updateOrder(orderId, update, request, updateCall),
      // Each `addLine` adds another line; an order is confirmed or cancelled once.
      isDone: ({ status }) => update !== 'addLine' && status === to,
      insteadWhenFull: 'confirm or cancel it, or open another one',
    },
    call,
    deps,
  );
}
