/**
 * An order: `order/<id>`. It reserves its lines, waits for a command (confirm, cancel, add a line) or its expiry, takes the
 * money when confirmed, and ends. Every change of its state is one step in Postgres (domain/orders/steps.ts).
 */
import { isSettled } from '../../domain/orders/states.js';
import { refusalOf } from '../../domain/refusals.js';
import { hideCallStacks, showCallStacks } from '../shared/call-stacks.js';
import { runToEnd } from '../shared/cancellation.js';
import type { Caller } from '../shared/contract.js';
import { currentOrderInput } from '../shared/earlier-names.js';
import type { Note } from '../shared/inbox.js';
import { hearProcessor } from '../shared/processor-reports.js';
import { database } from '../shared/proxies.js';
import { type AddLineRequest, type OrderAnswer, type OrderInput, orderWorkflowId } from './contract.js';
import { type OrderCommand, OrderInbox } from './inbox.js';
import { buy, close, conclude, confirm, type OrderSaga, pay, pendingPaymentOf } from './payment.js';
import { OrderRecord } from './record.js';
import { restock } from './restock.js';

export async function order(recorded: OrderInput): Promise<OrderAnswer> {
  const input = currentOrderInput(recorded);
  if (buysAtOnce(input)) hideCallStacks();
  // Keeps keys that count within a run apart from those of an earlier run.
  const run = input.resumed === undefined ? '' : `${input.resumed}-`;
  const inbox = new OrderInbox(run);
  hearProcessor();
  const saga: OrderSaga = { input, inbox, record: new OrderRecord(input.orderId, inbox, input.lines, run) };
  // Cancelling the workflow in the Web UI cancels the order like a cancel command.
  const onCancel = () => {
    const caller: Caller = { ...input.caller, actor: 'workflow cancellation' };
    const request = { reason: 'the workflow was cancelled', caller };
    inbox.put({ kind: 'cancel', request, id: `${run}cancellation`, bySignal: true });
  };
  return await runToEnd({ onCancel, wanted: () => inbox.cancelWanted }, () => runSaga(saga));
}

/** Whether the order is paid for as soon as it is open. */
function buysAtOnce({ confirm, payment, lines }: OrderInput): boolean {
  return confirm && payment !== null && lines.length > 0;
}

async function runSaga(saga: OrderSaga): Promise<OrderAnswer> {
  const { input, inbox, record } = saga;
  inbox.firstAnswer.give(await open(saga));
  while (!isSettled(record.status) && record.exists) {
    record.publish();
    // A lost workflow task has started a payment: resume it, even if a cancel is queued.
    if (record.status === 'confirming') await pay(saga, input.caller);
    else {
      await inbox.waitForWork(record.remainingMs(), waitSummary(record));
      if (inbox.hasWork) await serve(saga);
      else await record.apply(database.expireOrder, record.expiryStep({ ...input.caller, actor: 'timer' }));
    }
  }
  record.publish();
  await inbox.close(record, async () => {
    const note = inbox.takeNote();
    // An order that was refused has no row and no timeline.
    if (note !== undefined && record.exists) await writeNote(saga, note);
    return note !== undefined;
  });
  return record.answer();
}

function waitSummary({ status }: OrderRecord): string {
  return status === 'draft'
    ? 'Wait for a line or a cancel until the draft expires'
    : 'Wait for a confirm or a cancel until the hold ends';
}

/** Records the next note on the timeline, and carries out the next command. */
async function serve(saga: OrderSaga): Promise<void> {
  const note = saga.inbox.takeNote();
  const command = saga.inbox.take();
  if (note !== undefined) await writeNote(saga, note);
  if (command !== undefined) await carryOutAndAnswer(saga, command);
}

async function open(saga: OrderSaga): Promise<OrderAnswer> {
  const { input, inbox, record } = saga;
  const confirming = buysAtOnce(input);
  const payment = confirming ? pendingPaymentOf(input.payment) : null;
  const step = {
    ...record.step('open', 'once', input.caller),
    requestedAt: input.requestedAt,
    workflowId: orderWorkflowId(input.orderId),
    customer: input.customer,
    lines: input.lines,
    ...(input.money && { money: input.money }),
    ...(input.details && { details: input.details }),
    holdSeconds: input.holdSeconds,
    draftSeconds: input.draftSeconds,
    confirming,
    payment,
  };
  record.payment = input.payment;
  const bought = confirming ? await buy(saga, { activity: 'openOrder', step }, input.caller) : null;
  if (bought !== null && bought.kind !== 'not_started') return conclude(saga, bought, input.caller);
  const opened = bought?.reserved ?? (await record.apply(database.openOrder, step));
  if (opened.outcome === 'refused') {
    record.endsBy(`${opened.refusal.code}, ${opened.refusal.detail}`);
    return record.refuse(opened.refusal);
  }
  // The customer's limits kept the payment from starting.
  if (opened.retryAfterSeconds !== undefined)
    return record.refuse(refusalOf('customer_limit_reached', { retryAfterSeconds: opened.retryAfterSeconds }));
  const lacking = record.status === 'awaiting_restock' ? opened.shortages : undefined;
  if (lacking !== undefined) {
    const thenPay = { confirming, payment };
    const outcome = await restock(input, inbox, record, lacking, thenPay, () => serve(saga));
    if (outcome.kind === 'given_up') {
      const { to, caller, reason, failure, cancel } = outcome;
      const closed = await close(saga, to, cancel?.id ?? 'suppliers', caller, reason, { failure });
      if (cancel) cancel.answer = closed;
      return record.refuse(outcome.refusal);
    }
  }
  if (record.status === 'confirmed') return record.answer();
  // The goods have arrived, so the payment can start.
  if (confirming) return await pay(saga, input.caller);
  return input.confirm ? await confirm(saga, { payment: null, caller: input.caller }, 'start') : record.answer();
}

/** Carries out a command and answers it. A confirmation also answers queued ones that bring no payment of their own. */
async function carryOutAndAnswer(saga: OrderSaga, command: OrderCommand): Promise<void> {
  const { inbox, record } = saga;
  const answer = await carryOut(saga, command);
  if (command.kind === 'cancel' && record.status === 'confirming') {
    // A payment is in flight that this run did not know of: stop it first.
    inbox.putBack(command);
    return;
  }
  const joined = command.kind === 'confirm' ? inbox.takeAll(bringsNoPayment) : [];
  for (const each of [command, ...joined]) inbox.answer(each, answer);
}

/** Whether the command is a confirmation that the answer to another confirmation also answers. */
function bringsNoPayment(command: OrderCommand): boolean {
  return command.kind === 'confirm' && command.request.payment === null;
}

async function carryOut(saga: OrderSaga, command: OrderCommand): Promise<OrderAnswer> {
  const { id } = command;
  switch (command.kind) {
    case 'confirm':
      return await confirm(saga, command.request, id);
    case 'cancel': {
      const { caller, reason } = command.request;
      return await close(saga, 'cancelled', id, caller, reason ?? 'cancelled');
    }
    case 'addLine':
      return await addLine(saga, command.request, id);
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

async function writeNote({ input, record }: OrderSaga, note: Note): Promise<void> {
  showCallStacks();
  const caller = { ...input.caller, actor: 'signal' };
  await record.apply(database.noteOrder, { ...record.step('note', note.id, caller), reason: note.text });
}
