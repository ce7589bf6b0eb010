/**
 * An order: `order/<id>`. It reserves, waits for a wish (confirm, cancel, one more line) or for its time to run out, takes
 * the money when confirmed, and ends. Every change of its state is one step in Postgres (domain/orders/steps.ts).
 */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { Refusal } from '../../domain/errors.js';
import { isSettled } from '../../domain/orders/states.js';
import type { Caller } from '../shared/contract.js';
import { currentOrderInput } from '../shared/earlier-names.js';
import { database } from '../shared/proxies.js';
import { stuckStepsStopWhen } from '../shared/stuck-steps.js';
import { type AddLineRequest, type OrderAnswer, type OrderInput, orderWorkflowId } from './contract.js';
import { cannotBecome, type Note, OrderDesk, type Wish } from './inbox.js';
import { buy, close, conclude, confirm, type OrderSaga, pay, pendingPaymentOf } from './payment.js';
import { OrderRecord } from './record.js';
import { restock } from './restock.js';

export async function order(recorded: OrderInput): Promise<OrderAnswer> {
  const input = currentOrderInput(recorded);
  // What only counts within a run must not meet the steps of the run before.
  const run = input.resumed === undefined ? '' : `${input.resumed}-`;
  const desk = new OrderDesk(run);
  // Whoever cancels the workflow in the Web UI wants the order cancelled, with all that belongs to it.
  CancellationScope.current().cancelRequested.catch(() => {
    const caller: Caller = { ...input.caller, actor: 'workflow cancellation' };
    const request = { reason: 'the workflow was cancelled', caller };
    desk.put({ kind: 'cancel', request, id: `${run}cancellation`, bySignal: true });
  });
  stuckStepsStopWhen(() => desk.cancelWanted);
  const saga: OrderSaga = { input, desk, record: new OrderRecord(input.orderId, desk, input.lines, run) };
  return await CancellationScope.nonCancellable(() => live(saga));
}

async function live(saga: OrderSaga): Promise<OrderAnswer> {
  const { input, desk, record } = saga;
  desk.opened.give(await open(saga));
  while (!isSettled(record.status) && record.exists) {
    record.publish();
    // A task that was lost has begun a payment: resume it, even if a cancel is queued.
    if (record.status === 'confirming') await pay(saga, input.caller);
    else {
      await desk.waitForWork(record.remainingMs());
      if (desk.hasWork) await serve(saga);
      else await record.apply(database.expireOrder, record.look({ ...input.caller, actor: 'timer' }));
    }
  }
  record.publish();
  await closeDesk(saga);
  return record.answer();
}

/** Tells the timeline what is to be told, and grants the next wish. */
async function serve(saga: OrderSaga): Promise<void> {
  const note = saga.desk.takeNote();
  const wish = saga.desk.takeWish();
  if (note !== undefined) await tell(saga, note);
  if (wish !== undefined) await grant(saga, wish);
}

async function open(saga: OrderSaga): Promise<OrderAnswer> {
  const { input, desk, record } = saga;
  const confirming = input.confirm && input.payment !== null && input.lines.length > 0;
  const payment = confirming ? pendingPaymentOf(input.payment) : null;
  const step = {
    ...record.step('open', 'once', input.caller),
    requestedAt: input.requestedAt,
    workflowId: orderWorkflowId(input.orderId),
    customer: input.customer,
    lines: input.lines,
    holdSeconds: input.holdSeconds,
    draftSeconds: input.draftSeconds,
    confirming,
    payment,
  };
  record.payment = input.payment;
  const bought = confirming ? await buy(saga, { activity: 'openOrder', step }, input.caller) : null;
  if (bought !== null && bought.kind !== 'not_begun') return conclude(saga, bought, input.caller);
  const opened = bought?.reserved ?? (await record.apply(database.openOrder, step));
  if (opened.outcome === 'refused') {
    record.endsBy(`${opened.refusal.code}, ${opened.refusal.detail}`);
    return record.refuse(opened.refusal);
  }
  const lacking = record.status === 'awaiting_restock' ? opened.shortages : undefined;
  if (lacking !== undefined) {
    const going = { confirming, payment };
    const outcome = await restock(input, desk, record, lacking, going, () => serve(saga));
    if (outcome.kind === 'given_up') {
      const { to, caller, reason, failure, cancel } = outcome;
      const closed = await close(saga, to, cancel?.id ?? 'suppliers', caller, reason, { failure });
      if (cancel) cancel.answer = closed;
      return record.refuse(outcome.refusal);
    }
  }
  if (record.status === 'confirmed') return record.answer();
  // Nothing was charged before the goods were there.
  if (confirming) return await pay(saga, input.caller);
  return input.confirm ? await confirm(saga, { payment: null, caller: input.caller }, 'start') : record.answer();
}

/** Carries out one wish and answers it, and with it those that only wished the same. */
async function grant(saga: OrderSaga, wish: Wish): Promise<void> {
  const { desk, record } = saga;
  const answer = await carryOut(saga, wish);
  if (wish.kind === 'cancel' && record.status === 'confirming') {
    // There is a payment in flight that this run did not know of: it is stopped first, since somebody wants to cancel.
    desk.putBack(wish);
    return;
  }
  const joined = wish.kind === 'confirm' ? desk.takeJoiningConfirms() : [];
  for (const each of [wish, ...joined]) {
    each.answer = answer;
    if (each.bySignal && answer.kind === 'refused' && !isPaymentRefusal(answer.refusal))
      desk.note(each.id, `signal ${each.kind} ignored: ${answer.refusal.detail}`);
  }
}

async function carryOut(saga: OrderSaga, wish: Wish): Promise<OrderAnswer> {
  switch (wish.kind) {
    case 'confirm':
      return await confirm(saga, wish.request, wish.id);
    case 'cancel':
      return await close(saga, 'cancelled', wish.id, wish.request.caller, wish.request.reason ?? 'cancelled');
    case 'addLine':
      return await addLine(saga, wish.request, wish.id);
  }
}

async function addLine(
  { input, record }: OrderSaga,
  { line, caller }: AddLineRequest,
  cause: string,
): Promise<OrderAnswer> {
  const step = { ...record.step('add_line', cause, caller), line, holdSeconds: input.holdSeconds };
  const added = await record.apply(database.addOrderLine, step);
  if (added.outcome === 'refused') return record.refuse(added.refusal);
  record.addLine(line);
  return record.answer();
}

async function tell({ input, record }: OrderSaga, note: Note): Promise<void> {
  const caller = { ...input.caller, actor: 'signal' };
  await record.apply(database.noteOrder, { ...record.step('note', note.id, caller), reason: note.text });
}

/** Answers what came too late, until nobody waits any more. */
async function closeDesk(saga: OrderSaga): Promise<void> {
  const { desk, record } = saga;
  for (;;) {
    for (let wish = desk.takeWish(); wish !== undefined; wish = desk.takeWish()) {
      const to = wish.kind === 'confirm' ? 'confirmed' : wish.kind === 'cancel' ? 'cancelled' : 'reserved';
      // Where nothing was written there is no order, and the API says so.
      const settled = record.status === to || !record.exists;
      wish.answer = settled ? record.answer() : record.refuse(cannotBecome(record.status, to));
      if (wish.bySignal && wish.answer.kind === 'refused')
        desk.note(wish.id, `signal ${wish.kind} ignored: ${wish.answer.refusal.detail}`);
    }
    const note = desk.takeNote();
    if (note !== undefined && record.exists) await tell(saga, note);
    else if (allHandlersFinished() && !desk.hasWork) return;
    else await condition(() => allHandlersFinished() || desk.hasWork);
  }
}

function isPaymentRefusal({ code }: Refusal): boolean {
  return (
    code === 'payment_declined' ||
    code === 'insufficient_funds' ||
    code === 'fraud_suspected' ||
    code === 'all_payment_attempts_failed'
  );
}
