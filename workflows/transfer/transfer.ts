/**
 * A transfer of goods between two locations: `transfer/<id>`. It holds the goods at the source, then moves them at once, or
 * ships them and waits until they are received or called back. Every change of its state is one step in Postgres
 * (domain/transfers/steps.ts).
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

/** The state that all parts of the transfer's saga share. */
interface TransferSaga {
  readonly input: TransferInput;
  readonly inbox: TransferInbox;
  readonly record: TransferRecord;
  readonly undoing: Saga;
}

export async function transfer(recorded: TransferInput): Promise<TransferAnswer> {
  const input = currentInput(recorded);
  // Keeps keys that count within a run apart from those of an earlier run.
  const run = input.resumed === undefined ? '' : `${input.resumed}-`;
  const inbox = transferInbox(input, run);
  const record = new TransferRecord(input, inbox);
  const undoing = new Saga(input.retry, async () => {
    await record.apply(database.reviewTransfer, record.step('review', soleCauses.review, input.caller));
  });
  // Cancelling the workflow in the Web UI calls the goods back like a cancel command.
  const onCancel = () => {
    const caller: Caller = { ...input.caller, actor: 'workflow cancellation' };
    const request = { reason: 'the workflow was cancelled', caller };
    inbox.put({ kind: 'cancel', request, id: `${run}cancellation`, bySignal: true });
  };
  const saga = { input, inbox, record, undoing };
  return await runToEnd({ onCancel, wanted: () => inbox.cancelWanted }, () => runSaga(saga, `${run}resumed`));
}

/** @param resumption the cause of a closing step that resumes an earlier run's */
async function runSaga(saga: TransferSaga, resumption: string): Promise<TransferAnswer> {
  const { input, inbox, record, undoing } = saga;
  const { transferId, sku, quantity, from, to, mode, reservationId, caller } = input;
  // One undo for all steps: when it runs, Postgres knows whether the goods are held or in transit.
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

/** Moves the goods to the destination, or ships them. If the ledger refuses, gives them back and fails the transfer. */
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

/** Gives the goods back, retrying for as long as it takes, and ends the transfer. */
async function undo({ record, undoing }: TransferSaga, ending: Ending): Promise<void> {
  record.endAs(ending);
  await undoing.compensate();
  // Still open: a person has given the goods back by hand, so only the end is recorded.
  if (record.closing !== null && !isTransferEnded(record.status))
    await record.apply(database.closeTransfer, record.close(record.closing, true));
}

async function giveBack(record: TransferRecord, steps: Activities): Promise<void> {
  if (record.closing !== null) await record.apply(steps.undoTransfer, record.close(record.closing, false));
}
