/**
 * A transfer of goods between two locations: `transfer/<id>`. It holds them at the source, moves them at once or sends them
 * off by way of transit, waits there for as long as they travel, and ends when they have arrived or are back. Every change
 * of its state is one step in Postgres (domain/transfers/steps.ts).
 */
import { allHandlersFinished, CancellationScope, condition, log } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { isTransferEnded } from '../../domain/transfers/states.js';
import type { Caller } from '../shared/contract.js';
import { currentInput } from '../shared/earlier-names.js';
import { database } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import { stuckStepsStopWhen } from '../shared/stuck-steps.js';
import { type TransferAnswer, type TransferInput, transferWorkflowId } from './contract.js';
import { cannotBecome, TransferDesk, type TransferWish } from './inbox.js';
import { type Ending, TransferRecord } from './record.js';

export async function transfer(recorded: TransferInput): Promise<TransferAnswer> {
  const input = currentInput(recorded);
  const desk = new TransferDesk(input);
  // Whoever cancels the workflow in the Web UI wants the goods back where they were.
  CancellationScope.current().cancelRequested.catch(() => {
    const caller: Caller = { ...input.caller, actor: 'workflow cancellation' };
    desk.put({ kind: 'cancel', request: { reason: 'the workflow was cancelled', caller }, bySignal: true });
  });
  stuckStepsStopWhen(() => desk.cancelWanted);
  return await CancellationScope.nonCancellable(() =>
    carryOut(input, desk, new TransferRecord(input.transferId, input, desk, input.resumed ? `${input.resumed}-` : '')),
  );
}

async function carryOut(input: TransferInput, desk: TransferDesk, record: TransferRecord): Promise<TransferAnswer> {
  const { transferId, sku, quantity, from, to, mode, reservationId, caller } = input;
  const saga = new Saga(input.retry, async () => {
    await record.apply(database.reviewTransfer, record.next('review', caller));
  });

  // One undo for every step to come: where the goods are when it runs, held or on their way, is what the books say then.
  saga.undo(
    'give the goods back',
    (steps) => giveBack(record, steps),
    () => ({ transferId, sku, quantity, from, to }),
  );
  const workflowId = transferWorkflowId(transferId);
  const held = await record.apply(database.openTransfer, {
    ...record.next('open', caller),
    ...{ requestedAt: input.requestedAt, workflowId, sku, quantity, from, to, mode, reservationId },
  });
  if (held.outcome === 'refused') desk.moved.give(record.refuse(held.refusal));
  else if (!desk.cancelWanted) desk.moved.give(await send(input, record, saga));

  // A run that was lost had begun to give the goods back.
  if (record.exists && record.status === 'manual_review')
    await undo(record, saga, { to: 'cancelled', reason: 'resumed after its workflow was lost', failure: null, caller });
  while (record.exists && !isTransferEnded(record.status)) {
    await desk.waitForWish();
    const wish = desk.takeWish();
    if (wish !== undefined) answerWish(wish, await grant(wish, record, saga));
  }
  const moved = mode === 'immediate' ? 'completed' : 'in_transit';
  desk.moved.give(record.status === 'completed' ? record.answer() : record.refuse(cannotBecome(record.status, moved)));
  await closeDesk(desk, record);
  return record.answer();
}

/** Sends the goods off: to the destination at once, or on their way. What cannot be sent is not held any longer. */
async function send(input: TransferInput, record: TransferRecord, saga: Saga): Promise<TransferAnswer> {
  const sent =
    input.mode === 'immediate'
      ? await record.apply(database.moveTransfer, record.next('move', input.caller))
      : await record.apply(database.shipTransfer, record.next('ship', input.caller));
  if (sent.outcome === 'done') return record.answer();
  const { code, detail } = sent.refusal;
  await undo(record, saga, { to: 'failed', reason: detail, failure: { code, detail }, caller: input.caller });
  return record.refuse(sent.refusal);
}

async function grant(wish: TransferWish, record: TransferRecord, saga: Saga): Promise<TransferAnswer> {
  if (wish.kind === 'receive') {
    const { quantity, reason, caller } = wish.request;
    const step = { ...record.next('receive', caller), quantity, reason };
    const received = await record.apply(database.receiveTransfer, step);
    return received.outcome === 'done' ? record.answer() : record.refuse(received.refusal);
  }
  const { reason, caller } = wish.request;
  await undo(record, saga, { to: 'cancelled', reason, failure: null, caller });
  return record.status === 'cancelled' ? record.answer() : record.refuse(cannotBecome(record.status, 'cancelled'));
}

/** Gives the goods back, however long that takes, and ends the transfer. */
async function undo(record: TransferRecord, saga: Saga, ending: Ending): Promise<void> {
  const close = record.endAs(ending);
  await saga.compensate();
  // A person has given the goods back by hand: the end remains to be written down.
  if (!isTransferEnded(record.status))
    await record.apply(database.closeTransfer, { ...close, key: `${close.key}/by-hand`, byHand: true });
}

async function giveBack(record: TransferRecord, steps: Activities): Promise<void> {
  if (record.closing !== null) await record.apply(steps.undoTransfer, record.closing);
}

function answerWish(wish: TransferWish, answer: TransferAnswer): void {
  wish.answer = answer;
  if (wish.bySignal && answer.kind === 'refused') log.warn(`signal ${wish.kind} ignored: ${answer.refusal.detail}`);
}

/** Answers what came too late, until nobody waits any more. */
async function closeDesk(desk: TransferDesk, record: TransferRecord): Promise<void> {
  for (;;) {
    for (let wish = desk.takeWish(); wish !== undefined; wish = desk.takeWish()) {
      const why = desk.refusalOf(wish);
      answerWish(wish, why === null ? record.answer() : record.refuse(why));
    }
    if (allHandlersFinished()) return;
    await condition(() => allHandlersFinished() || desk.hasWish);
  }
}
