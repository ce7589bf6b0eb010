/**
 * A transfer of goods between two locations: `transfer/<id>`. It holds them at the source, moves them at once or sends them
 * off by way of transit, waits there for as long as they travel, and ends when they have arrived or are back. Every change
 * of its state is one step in Postgres (domain/transfers/steps.ts).
 */
import type { Activities } from '../../activities/index.js';
import { isTransferEnded } from '../../domain/transfers/states.js';
import { soleCauses } from '../../domain/transfers/steps.js';
import { runToEnd } from '../shared/cancellation.js';
import type { Caller } from '../shared/contract.js';
import { currentInput } from '../shared/earlier-names.js';
import { database } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import { type TransferAnswer, type TransferInput, transferWorkflowId } from './contract.js';
import { cannotBecome, type TransferCommand, type TransferInbox, transferInbox } from './inbox.js';
import { type Ending, TransferRecord } from './record.js';

/** What every part of the transfer's saga works with. */
interface TransferSaga {
  readonly input: TransferInput;
  readonly inbox: TransferInbox;
  readonly record: TransferRecord;
  readonly undoing: Saga;
}

export async function transfer(recorded: TransferInput): Promise<TransferAnswer> {
  const input = currentInput(recorded);
  // What only counts within a run must not meet the steps of the run before.
  const run = input.resumed === undefined ? '' : `${input.resumed}-`;
  const inbox = transferInbox(input, run);
  const record = new TransferRecord(input, inbox);
  const undoing = new Saga(input.retry, async () => {
    await record.apply(database.reviewTransfer, record.step('review', soleCauses.review, input.caller));
  });
  // Cancelling the workflow in the Web UI calls the goods back to where they were.
  const onCancel = () => {
    const caller: Caller = { ...input.caller, actor: 'workflow cancellation' };
    const request = { reason: 'the workflow was cancelled', caller };
    inbox.put({ kind: 'cancel', request, id: `${run}cancellation`, bySignal: true });
  };
  const saga = { input, inbox, record, undoing };
  return await runToEnd({ onCancel, wanted: () => inbox.cancelWanted }, () => live(saga, `${run}resumed`));
}

/** @param resumption what an end follows from that a run before this one had begun */
async function live(saga: TransferSaga, resumption: string): Promise<TransferAnswer> {
  const { input, inbox, record, undoing } = saga;
  const { transferId, sku, quantity, from, to, mode, reservationId, caller } = input;
  // One undo for every step to come: where the goods are when it runs, held or on their way, is what the books say then.
  undoing.undo(
    'give the goods back',
    (steps) => giveBack(record, steps),
    () => ({ transferId, sku, quantity, from, to }),
  );
  const workflowId = transferWorkflowId(transferId);
  const held = await record.apply(database.openTransfer, {
    ...record.step('open', soleCauses.open, caller),
    ...{ requestedAt: input.requestedAt, workflowId, sku, quantity, from, to, mode, reservationId },
  });
  if (held.outcome === 'refused') inbox.firstAnswer.give(record.refuse(held.refusal));
  else if (!inbox.cancelWanted) inbox.firstAnswer.give(await send(saga));

  if (record.exists && record.status === 'manual_review') {
    const reason = 'resumed after its workflow was lost';
    await undo(saga, { to: 'cancelled', reason, failure: null, caller, cause: resumption });
  }
  while (record.exists && !isTransferEnded(record.status)) {
    await inbox.waitForWork();
    const command = inbox.take();
    if (command !== undefined) inbox.answer(command, await carryOut(saga, command));
  }
  const moved = mode === 'immediate' ? 'completed' : 'in_transit';
  inbox.firstAnswer.give(
    record.status === 'completed' ? record.answer() : record.refuse(cannotBecome(record.status, moved)),
  );
  await inbox.close(record);
  return record.answer();
}

/** Sends the goods off: to the destination at once, or on their way. What cannot be sent is not held any longer. */
async function send(saga: TransferSaga): Promise<TransferAnswer> {
  const { input, record } = saga;
  const { mode, caller } = input;
  const sent =
    mode === 'immediate'
      ? await record.apply(database.moveTransfer, record.step('move', soleCauses.move, caller))
      : await record.apply(database.shipTransfer, record.step('ship', soleCauses.ship, caller));
  if (sent.outcome === 'done') return record.answer();
  const { code, detail } = sent.refusal;
  await undo(saga, { to: 'failed', reason: detail, failure: { code, detail }, caller, cause: 'not-sent' });
  return record.refuse(sent.refusal);
}

async function carryOut(saga: TransferSaga, command: TransferCommand): Promise<TransferAnswer> {
  const { record } = saga;
  const { reason, caller } = command.request;
  if (command.kind === 'receive') {
    const { quantity } = command.request;
    const step = { ...record.step('receive', command.id, caller), quantity, reason };
    const received = await record.apply(database.receiveTransfer, step);
    return received.outcome === 'done' ? record.answer() : record.refuse(received.refusal);
  }
  await undo(saga, { to: 'cancelled', reason, failure: null, caller, cause: command.id });
  return record.status === 'cancelled' ? record.answer() : record.refuse(cannotBecome(record.status, 'cancelled'));
}

/** Gives the goods back, however long that takes, and ends the transfer. */
async function undo({ record, undoing }: TransferSaga, ending: Ending): Promise<void> {
  record.endAs(ending);
  await undoing.compensate();
  // A person has given the goods back by hand: the end remains to be recorded.
  if (record.closing !== null && !isTransferEnded(record.status))
    await record.apply(database.closeTransfer, record.close(record.closing, true));
}

async function giveBack(record: TransferRecord, steps: Activities): Promise<void> {
  if (record.closing !== null) await record.apply(steps.undoTransfer, record.close(record.closing, false));
}
