/**
 * Paying for an order. What was begun stands in the database before money moves, and the database decides between
 * settling a payment and giving it up: a workflow task that is lost after it has acted runs again, perhaps with a
 * cancel that it did not know before, and must find out what it has done.
 */
import { uuid4 } from '@temporalio/workflow';
import type { Checkout, CheckoutProgress } from '../../activities/checkout.js';
import type { ChargeProgress } from '../../activities/payments.js';
import { refusal } from '../../domain/errors.js';
import { maxPaymentRefusals } from '../../domain/orders/states.js';
import type { OrderStepResult, PaymentInFlight, PaymentRecord, PendingPayment } from '../../domain/orders/steps.js';
import { mailsAfter } from '../../domain/payments/record.js';
import { isBranched } from '../shared/branches.js';
import { charge, lostTry } from '../shared/charge.js';
import type { Caller } from '../shared/contract.js';
import { database, purchase } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import type { ConfirmRequest, OrderAnswer, OrderInput, PaymentChoice } from './contract.js';
import { cannotBecome, type OrderInbox } from './inbox.js';
import type { OrderRecord } from './record.js';

const paidWithoutCard = 'no card was charged';
const paidWith = (paymentId: string, card: string) => `paid with the ${card} card, payment ${paymentId}`;

/** What every part of the order's saga works with. */
export interface OrderSaga {
  readonly input: OrderInput;
  readonly inbox: OrderInbox;
  readonly record: OrderRecord;
}

/** The payment that goes with a step to `confirming`; null where nothing is paid by card. */
export function pendingPaymentOf(choice: PaymentChoice | null): PendingPayment | null {
  if (choice === null || 'method' in choice) return null;
  return { paymentId: `pay_${uuid4().replaceAll('-', '')}`, choice };
}

/** A payment that has begun: what the step answered that began it, and what came of the charge in the same go. */
interface Begun {
  readonly result: OrderStepResult;
  readonly charge?: ChargeProgress;
}

/** Does the step that begins a payment, and in the same go as much of the payment as it comes to. */
export async function begin(order: OrderSaga, first: Checkout['begin'], caller: Caller): Promise<Begun> {
  const { input, inbox, record } = order;
  const alone = async () =>
    first.activity === 'openOrder'
      ? await record.apply(database.openOrder, first.step)
      : await record.apply(database.beginConfirm, first.step);
  if (!input.inOneGo || isBranched()) return { result: await alone() };
  let progress: CheckoutProgress;
  try {
    progress = await purchase.checkoutOrder({
      begin: first,
      customerId: input.customer?.id ?? null,
      email: input.customer?.email ?? null,
      traceparent: caller.traceparent,
      mayCapture: !inbox.cancelWanted,
    });
  } catch (error) {
    // How far it came is asked for: the step by its key, the money at the processor.
    const charge = lostTry(error);
    return { result: await alone(), charge };
  }
  const { begun, charge, settled } = progress;
  if (begun === null) return { result: await alone() };
  record.takeUp(begun);
  // A refusal is asked for again where it is dealt with.
  if (settled?.outcome === 'done') {
    record.endsBy(begun.state?.inFlight ? paidWith(begun.state.inFlight.paymentId, 'primary') : paidWithoutCard);
    record.takeUp(settled);
  }
  return { result: begun, ...(charge !== null && { charge }) };
}

/** Confirms a reserved order and pays for it. @param cause the command's id */
export async function confirm(order: OrderSaga, request: ConfirmRequest, cause: string): Promise<OrderAnswer> {
  const { record } = order;
  if (record.status === 'confirmed') return record.answer();
  const choice = request.payment ?? record.payment;
  if (record.totalAmount > 0 && choice === null)
    return record.refuse(refusal('payment_method_required', 'the order has a total above 0 and no payment'));
  const payment = record.totalAmount > 0 ? pendingPaymentOf(choice) : null;
  const step = { ...record.step('begin_confirm', cause, request.caller), payment };
  const { result, charge } = await begin(order, { activity: 'beginConfirm', step }, request.caller);
  if (result.outcome === 'refused')
    return result.state?.status === 'confirmed' ? record.answer() : record.refuse(result.refusal);
  return await pay(order, request.caller, charge);
}

/**
 * Takes the money for an order that is confirming and settles it; a refusal leaves the hold, the last one ends the order.
 * @param begun what the charge has come to already
 */
export async function pay(order: OrderSaga, caller: Caller, begun?: ChargeProgress): Promise<OrderAnswer> {
  const { record } = order;
  if (record.status !== 'confirming') return record.pastConfirmation();
  const { inFlight } = record;
  if (inFlight === null) return await settle(order, new Saga(order.input.pace), caller, null);
  return await payByCard(order, caller, inFlight, begun);
}

async function payByCard(
  order: OrderSaga,
  caller: Caller,
  inFlight: PaymentInFlight,
  begun: ChargeProgress | undefined,
): Promise<OrderAnswer> {
  const { input, inbox, record } = order;
  const { paymentId, choice, abandoned } = inFlight;
  const saga = new Saga(input.pace);
  const charged = await charge(saga, {
    paymentId,
    orderId: input.orderId,
    amount: record.totalAmount,
    currency: record.currency,
    cardToken: choice.cardToken,
    backupCardToken: choice.backupCardToken ?? null,
    customerId: input.customer?.id ?? null,
    email: input.customer?.email ?? null,
    reference: input.orderId,
    traceparent: caller.traceparent,
    pace: input.pace,
    begun,
    abandoned,
    stopWanted: () => inbox.cancelWanted,
    abandon: async (card) => {
      const step = { ...record.step('abandon_card', `${paymentId}/${card}`, caller), paymentId, card };
      await record.apply(database.abandonCard, step);
      return record.status === 'confirming';
    },
  });
  switch (charged.kind) {
    case 'captured':
      return await settle(order, saga, caller, charged.payment);
    case 'decided':
      return record.pastConfirmation();
    case 'stopped': {
      const cancel = inbox.takeCancel();
      const by = cancel?.request.caller ?? caller;
      const closed = await close(order, 'cancelled', paymentId, by, cancel?.request.reason ?? 'cancelled', {
        payment: charged.payment,
      });
      if (cancel) cancel.answer = closed;
      return record.refuse(cannotBecome(record.status, 'confirmed'));
    }
    case 'refused': {
      const { code, detail } = charged.refusal;
      const refused = await record.apply(database.refusePayment, {
        ...record.step('refuse_payment', paymentId, caller),
        maxRefusals: maxPaymentRefusals,
        payment: charged.payment,
        reason: detail,
        failure: { code, detail },
        mails: mailsAfter(charged.payment),
      });
      record.endsBy(`the last payment that it may try was refused: ${code}, ${detail}`);
      return refused.outcome === 'refused' ? record.pastConfirmation() : record.refuse(charged.refusal);
    }
  }
}

/** Confirms the holds and records the payment. Where that cannot be done any more the money goes back. */
async function settle(
  order: OrderSaga,
  saga: Saga,
  caller: Caller,
  payment: PaymentRecord | null,
): Promise<OrderAnswer> {
  const { record } = order;
  const settled = await record.apply(database.settleOrder, {
    ...record.step('settle', payment?.id ?? 'unpaid', caller),
    payment,
    mails: payment === null ? [] : mailsAfter(payment),
  });
  if (settled.outcome === 'done' || settled.state?.status === 'confirmed') {
    record.endsBy(payment === null ? paidWithoutCard : paidWith(payment.id, payment.cardUsed ?? 'primary'));
    return record.answer();
  }
  await saga.compensate();
  const { code, detail } = settled.refusal;
  if (record.status !== 'confirming') return record.refuse(settled.refusal);
  const returned = payment && ({ ...payment, status: 'refunded' } as const);
  // Somebody who wants to cancel gave a settling up that was stuck: that is how the order ends.
  const cancel = order.inbox.takeCancel();
  const cause = payment?.id ?? 'unpaid';
  if (cancel === undefined)
    await close(order, 'failed', cause, caller, detail, { payment: returned, failure: { code, detail } });
  else {
    const { reason, caller: by } = cancel.request;
    cancel.answer = await close(order, 'cancelled', cause, by, reason ?? 'cancelled', { payment: returned });
  }
  return record.refuse(settled.refusal);
}

/** Gives the stock back and ends the order. @param cause the command's id, or the payment's with which it ends */
export async function close(
  { record }: OrderSaga,
  to: 'cancelled' | 'failed',
  cause: string,
  caller: Caller,
  reason: string,
  more: { payment?: PaymentRecord | null; failure?: { code: string; detail: string } | null } = {},
): Promise<OrderAnswer> {
  const { payment = null, failure = null } = more;
  const step = { ...record.step('close', cause, caller), to, reason, failure, payment };
  const closed = await record.apply(database.closeOrder, step);
  if (closed.outcome === 'done')
    record.endsBy(failure === null ? `by ${caller.actor}: ${reason}` : `${failure.code}, ${failure.detail}`);
  return closed.outcome === 'refused' ? record.refuse(closed.refusal) : record.answer();
}
