/** POST /api/orders: starts `order/<id>` and answers with its first decision. */
import { orderOfReference } from '../../db/orders/queries.js';
import type { OrderDetails, PostalAddress } from '../../domain/orders/details.js';
import type { GivenLineMoney, GivenOrderMoney } from '../../domain/orders/steps.js';
import { refusalOf } from '../../domain/refusals.js';
import { type OrderInput, orderWorkflowId } from '../../workflows/order/contract.js';
import type { ApiDeps } from '../deps.js';
import { childId, newId } from '../http/ids.js';
import { now } from '../http/instants.js';
import { type Answer, answer, type Refused, type Reply, refuseFields, refuseWith } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { refuseTokens } from '../shapes/payment.js';
import { retrySettings } from '../temporal/retry-settings.js';
import type { UpdateCall } from '../temporal/saga-client.js';
import { hasBegun, startSaga } from '../temporal/saga-resource.js';
import { checkLines } from './check-lines.js';
import { commandOrder } from './commands.js';
import { orders } from './read.js';
import type { NewLine, NewOrder, Order } from './schemas.js';

export async function openOrder(
  body: NewOrder,
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

  const input = orderInput(orderId, body, call, deps);
  // An order that an earlier call has begun is not checked against today's catalogue.
  const begun = await hasBegun(orders, orderId, call, deps);
  const taken = begun ? null : await referenceTaken(input, deps);
  if (taken !== null) return taken;
  const checked = await checkLines(db, {
    lines: input.lines,
    ...(input.money && { money: input.money }),
    scopes: call.key.scopes,
    pointerTo: (line) => `/lines/${line}`,
  });
  if (!begun) {
    if (checked.kind === 'refused') return checked;
    if (body.confirm && checked.total > 0 && !body.payment)
      return refuseFields('payment_method_required', [
        { pointer: '/payment', code: 'required', detail: 'is required: the total is over 0' },
      ]);
  }

  const total = checked.kind === 'accepted' ? checked.total : 0;
  const start = (updateCall: UpdateCall) => deps.sagas.startOrder(input, total, updateCall);
  const reply = await startSaga(orders, input, start, call, deps);
  if (reply.kind !== 'refused' || reply.refusal.code !== 'customer_limit_reached') return reply;
  // An order that lacks goods is not opened where a limit is reached: the same call begins anew.
  if ((await orders.stored(db, orderId)) === null) return reply;
  // An order that the earlier call has opened is reserved: pay for it.
  return call.resumed ? await payAgain(orderId, call, deps) : { ...reply, resumable: true };
}

/** Confirms an order whose payment its customer's limits kept from starting. */
async function payAgain(orderId: string, call: CallContext, deps: ApiDeps): Promise<Reply<Answer<201 | 202, Order>>> {
  const ids = { ...call.ids, update: newId('upd') };
  const request = { payment: null, caller: call.caller };
  const reply = await commandOrder(orderId, 'confirm', request, { ...call, ids }, deps);
  if (reply.kind === 'refused')
    return reply.refusal.code === 'customer_limit_reached' ? { ...reply, resumable: true } : reply;
  const headers = { Location: `/api/orders/${orderId}` };
  return reply.status === 202 ? answer(202, reply.body, headers) : answer(201, reply.body, headers);
}

/** The refusal where another order has the external reference. */
async function referenceTaken(
  { orderId, details }: OrderInput,
  { connection: { db } }: ApiDeps,
): Promise<Refused | null> {
  const { externalReference = null, channel = null } = details ?? {};
  if (externalReference === null) return null;
  const other = await orderOfReference(db, externalReference, channel);
  return other === null || other === orderId ? null : refuseWith(refusalOf('already_exists', { orderId: other }));
}

function orderInput(orderId: string, body: NewOrder, call: CallContext, { settings }: ApiDeps): OrderInput {
  const { id, name, email } = body.customer ?? {};
  const [money, details] = [givenMoney(body), givenDetails(body)];
  return {
    orderId,
    customer: body.customer
      ? { ...(id !== undefined && { id }), ...(name !== undefined && { name }), ...(email !== undefined && { email }) }
      : null,
    lines: body.lines.map((line, index) => ({ ...chosenLine(line), reservationId: childId('rsv', orderId, index) })),
    ...(money && { money }),
    ...(details && { details }),
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

/** What the client says about the order's money; null where nothing, so that a plain order's input does not grow. */
function givenMoney({ charges = [], taxesIncluded, expectedTotal }: NewOrder): GivenOrderMoney | null {
  if (charges.length === 0 && !taxesIncluded && expectedTotal === undefined) return null;
  return { charges, taxesIncluded, expectedTotal: expectedTotal ?? null };
}

/** What the order carries besides goods and money; null where nothing. */
function givenDetails(body: NewOrder): OrderDetails | null {
  const { shippingAddress, billingAddress, externalReference, metadata, tags, note } = body;
  const given = [shippingAddress, billingAddress, externalReference, metadata, tags, note];
  if (given.every((field) => field === undefined)) return null;
  return {
    shippingAddress: givenAddress(shippingAddress),
    billingAddress: givenAddress(billingAddress),
    externalReference: externalReference ?? null,
    channel: null,
    metadata: metadata ?? {},
    tags: tags ?? [],
    note: note ?? null,
  };
}

/** The address as domain/ has it: absent members instead of undefined ones. */
export function givenAddress(address: NewOrder['shippingAddress'] | null): PostalAddress | null {
  if (!address) return null;
  const { line1, city, country, ...rest } = address;
  const optional: Omit<PostalAddress, 'line1' | 'city' | 'country'> = withoutUndefined(rest);
  return { line1, city, country, ...optional };
}

/** The line as the saga takes it: absent members instead of undefined ones. */
export function chosenLine({ sku, quantity, location, ...money }: NewLine) {
  const given: GivenLineMoney = withoutUndefined(money);
  return { sku, quantity, location, ...given };
}

function withoutUndefined<T extends object>(members: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const defined = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}

/** The payment as the saga takes it: absent members instead of undefined ones. */
export function chosenPayment(choice: NewOrder['payment']): OrderInput['payment'] {
  if (!choice) return null;
  if ('method' in choice) return { method: choice.method };
  const { cardToken, backupCardToken } = choice;
  return { cardToken, ...(backupCardToken !== undefined && { backupCardToken }) };
}
