/**
 * Paying for an order: the purchase (domain/purchase/purchase.ts) with activities as its steps. A workflow task that is lost
 * after it has acted runs again, perhaps with a cancel that it had not received before. So the database records a payment
 * before money moves, and decides whether it is settled or given up.
 */
import { patched, uuid4 } from '@temporalio/workflow';
import type { Checkout, Reserving } from '../../activities/checkout.js';
import { refusal } from '../../domain/errors.js';
import { maxPaymentRefusals } from '../../domain/limits.js';
import type { PaymentRecord, PendingPayment } from '../../domain/orders/steps.js';
import { mailsAfter } from '../../domain/payments/record.js';
import type { PurchaseOutcome, Undone } from '../../domain/purchase/outcomes.js';
import { purchase } from '../../domain/purchase/purchase.js';
import {
  nothingDone,
  type PurchaseRecord,
  type PurchaseSteps,
  type PurchaseUndo,
} from '../../domain/purchase/steps.js';
import { isBranched } from '../shared/branches.js';
import { showCallStacks } from '../shared/call-stacks.js';
import { chargeByActivities, leftUndecided, lostCharge, undoMoney } from '../shared/charge.js';
import type { Caller } from '../shared/contract.js';
import { currentPurchase } from '../shared/earlier-names.js';
import { database, singleActivity } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import type { ConfirmRequest, OrderAnswer, OrderInput, PaymentChoice } from './contract.js';
import { type CancelCommand, cannotBecome, type OrderInbox } from './inbox.js';
import type { OrderRecord } from './record.js';

/** The input, inbox and record that all parts of the order's saga share. */
export interface OrderSaga {
  readonly input: OrderInput;
  readonly inbox: OrderInbox;
  readonly record: OrderRecord;
}

/** A new payment for a step to `confirming`; null where nothing is paid by card. */
export function pendingPaymentOf(choice: PaymentChoice | null): PendingPayment | null {
  if (choice === null || 'method' in choice) return null;
  return { paymentId: `pay_${uuid4().replaceAll('-', '')}`, choice };
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
  const bought = await buy(order, { activity: 'beginConfirm', step }, request.caller);
  return conclude(order, bought, request.caller);
}

/** Pays for an order that is confirming already. */
export async function pay(order: OrderSaga, caller: Caller): Promise<OrderAnswer> {
  const { standing } = order.record;
  if (standing === null) return order.record.pastConfirmation();
  const bought = await runPurchase(order, caller, () => Promise.resolve(standing), nothingDone());
  return conclude(order, bought, caller);
}

/** The whole purchase from the step that reserves. One activity does as much of it as it can. */
export function buy(order: OrderSaga, reserving: Reserving, caller: Caller): Promise<PurchaseOutcome> {
  const { input, record } = order;
  const done = nothingDone();
  const reserve = async () => {
    if (input.singleActivity && !isBranched())
      try {
        const checkout = checkoutOf(order, reserving, caller);
        adoptCheckout(record, currentPurchase(await singleActivity.checkoutOrder(checkout)), done);
      } catch (error) {
        // Its progress is unknown: repeat the step by its key, and ask the processor about the money.
        done.charge = lostCharge(error);
      }
    if (done.settled === null) showCallStacks();
    if (done.reserved !== null) return done.reserved;
    return reserving.activity === 'openOrder'
      ? await record.apply(database.openOrder, reserving.step)
      : await record.apply(database.beginConfirm, reserving.step);
  };
  return runPurchase(order, caller, reserve, done);
}

function checkoutOf({ input, inbox }: OrderSaga, reserving: Reserving, { traceparent }: Caller): Checkout {
  const { id: customerId = null, email = null } = input.customer ?? {};
  return { reserving, customerId, email, traceparent, mayCapture: !inbox.cancelWanted };
}

/** Takes over the steps that the single activity has done. */
function adoptCheckout(order: OrderRecord, { reserved, charge, settled }: PurchaseRecord, done: PurchaseRecord): void {
  done.reserved = reserved && order.adopt(reserved);
  done.charge = charge;
  // A refused settle is repeated, since recorded histories repeat it.
  if (settled?.outcome === 'done') done.settled = order.adopt(settled);
}

function runPurchase(
  order: OrderSaga,
  caller: Caller,
  reserve: PurchaseSteps['reserve'],
  done: PurchaseRecord,
): Promise<PurchaseOutcome> {
  const { input, inbox, record } = order;
  const { id: customerId = null, email = null } = input.customer ?? {};
  const { key: _key, ...asked } = record.step('settle', '', caller);
  const facts = { ...asked, customerId, email, traceparent: caller.traceparent };
  const steps: PurchaseSteps = {
    reserve,
    ...chargeByActivities(input.retry, {
      giveUp: async (card, { id: paymentId }) => {
        const step = { ...record.step('abandon_card', `${paymentId}/${card}`, caller), paymentId, card };
        await record.apply(database.abandonCard, step);
        return record.status === 'confirming';
      },
      cancelWanted: () => inbox.cancelWanted,
    }),
    settle: (step) => record.apply(database.settleOrder, step),
    // Older histories end the order.
    refusesGivenUpCards: () => patched('given-up-cards-are-refused'),
  };
  return purchase(facts, steps, undoBySaga(order, caller), done);
}

function undoBySaga(order: OrderSaga, caller: Caller): PurchaseUndo {
  const saga = new Saga(order.input.retry);
  let why: Undone | null = null;
  // Taken once, since an undo that fails runs again.
  let cancel: CancelCommand | undefined;
  return {
    goods: () => {
      saga.undo('end the order and give its goods back', async () => {
        if (why === null || order.record.status !== 'confirming') return;
        cancel ??= order.inbox.takeCancel();
        await endOrder(order, caller, why, cancel);
      });
    },
    money: () => undoMoney(saga, order.input.orderId),
    all: async (undone) => {
      why = undone;
      await saga.compensate();
    },
  };
}

/**
 * Ends an order whose purchase was undone: as cancelled where a cancel was queued, else as failed. A cancel that gave up a
 * stuck settle also decides how the order ends.
 */
async function endOrder(
  order: OrderSaga,
  caller: Caller,
  why: Undone,
  cancel: CancelCommand | undefined,
): Promise<void> {
  const cause = why.payment?.id ?? 'unpaid';
  const payment =
    why.payment && why.kind === 'unsettled' ? ({ ...why.payment, status: 'refunded' } as const) : why.payment;
  if (why.kind === 'unsettled' && cancel === undefined) {
    const { code, detail } = why.refusal;
    await close(order, 'failed', cause, caller, detail, { payment, failure: { code, detail } });
    return;
  }
  const { reason = null, caller: by = caller } = cancel?.request ?? {};
  const closed = await close(order, 'cancelled', cause, by, reason ?? 'cancelled', { payment });
  if (cancel) cancel.answer = closed;
}

/** The answer to a confirmation. A refused payment is recorded first. */
export function conclude(
  order: OrderSaga,
  bought: PurchaseOutcome,
  caller: Caller,
): OrderAnswer | Promise<OrderAnswer> {
  const { record } = order;
  switch (bought.kind) {
    case 'not_started': {
      const { reserved } = bought;
      if (reserved.outcome === 'done') return record.pastConfirmation();
      return reserved.state?.status === 'confirmed' ? record.answer() : record.refuse(reserved.refusal);
    }
    case 'confirmed':
      record.endsBy(
        bought.payment === null
          ? 'no card was charged'
          : `paid with the ${bought.payment.cardUsed ?? 'primary'} card, payment ${bought.payment.id}`,
      );
      return record.answer();
    case 'decided':
      return record.pastConfirmation();
    case 'stopped':
      return record.refuse(cannotBecome(record.status, 'confirmed'));
    case 'unsettled':
      return record.refuse(bought.refusal);
    case 'refused':
      return refusePayment(order, bought, caller);
    case 'undecided':
      return leftUndecided();
  }
}

/** Records a refused payment. The order keeps its holds; the last refusal that it may have ends it. */
async function refusePayment(
  { record }: OrderSaga,
  { payment, refusal: why }: Extract<PurchaseOutcome, { kind: 'refused' }>,
  caller: Caller,
): Promise<OrderAnswer> {
  const { code, detail } = why;
  const refused = await record.apply(database.refusePayment, {
    ...record.step('refuse_payment', payment.id, caller),
    maxRefusals: maxPaymentRefusals,
    payment,
    reason: detail,
    failure: { code, detail },
    mails: mailsAfter(payment),
  });
  record.endsBy(`its last payment attempt was refused: ${code}, ${detail}`);
  return refused.outcome === 'refused' ? record.pastConfirmation() : record.refuse(why);
}

/** Gives the stock back and ends the order. @param cause the id of the command or payment that ends it */
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
