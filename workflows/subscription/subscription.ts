/**
 * A subscription: `subscription/<id>`. It charges a stored card at the start of each period, waits for the next one on the
 * real clock or on a test clock, and takes commands in between. Every change of its state is one step in Postgres
 * (domain/subscriptions/steps.ts), and its state is read from there.
 */
import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { CustomerLimits } from '../../domain/payments/limits.js';
import type { SubscriptionStepResult } from '../../domain/subscriptions/steps.js';
import { runToEnd } from '../shared/cancellation.js';
import type { Caller } from '../shared/contract.js';
import { hearProcessor } from '../shared/processor-reports.js';
import { database } from '../shared/proxies.js';
import { bill, catchUp, ownCaller, type SubscriptionSaga, storeCards } from './billing.js';
import type { SubscriptionAnswer, SubscriptionInput } from './contract.js';
import { type SubscriptionCommand, stops, subscriptionInbox } from './inbox.js';
import { SubscriptionRecord } from './record.js';

/** Events after which it goes on in a new run; its state is in Postgres. */
const longHistory = 1000;

export async function subscription(input: SubscriptionInput): Promise<SubscriptionAnswer> {
  const earlier = input.continued ? workflowInfo().runId : input.resumed;
  const run = earlier === undefined ? '' : `${earlier}-`;
  const inbox = subscriptionInbox(run);
  const record = new SubscriptionRecord(input, inbox);
  hearProcessor();
  const onCancel = () => {
    const caller: Caller = { ...input.caller, actor: 'workflow cancellation' };
    inbox.put({ kind: 'cancel', request: { atPeriodEnd: false, caller }, id: `${run}cancellation`, bySignal: true });
  };
  const saga = { input, inbox, record };
  return await runToEnd({ onCancel, wanted: () => inbox.cancelWanted }, () => runSaga(saga));
}

async function runSaga(saga: SubscriptionSaga): Promise<SubscriptionAnswer> {
  const { inbox, record } = saga;
  inbox.firstAnswer.give(await open(saga));
  while (record.isLive) {
    if (record.hasWork && !inbox.hasWork) await catchUp(saga);
    else await continueIfLong(saga);
    if (!record.isLive) break;
    if (!record.hasWork) await inbox.waitForWork(record.nextInMs, 'Wait for the next payment');
    const command = inbox.takeFirst(stops) ?? inbox.take();
    if (command === undefined) await catchUp(saga);
    else inbox.answer(command, await carryOut(saga, command));
  }
  await inbox.close(record);
  return record.answer();
}

/** Creates the subscription and charges its first period. A run that continues another finds it as it stands. */
async function open(saga: SubscriptionSaga): Promise<SubscriptionAnswer> {
  const { input, record } = saga;
  const { caller } = input;
  if (input.continued || input.resumed !== undefined) {
    const own = ownCaller();
    await record.apply(database.dueSubscription, record.step('due', 'now', own));
    if (record.charge?.purpose === 'open') {
      const billed = await bill(saga, record.charge.paymentId, own);
      if (billed.outcome === 'refused') return record.refuse(billed.refusal);
    }
    if (record.exists) return record.answer();
  }
  const cards = await storeCards(saga, 'open', input, caller);
  const { requestedAt, customerId, email, plan, gateway, startAt, anchorDay, testClock, limits } = input;
  const opened = await record.apply(database.openSubscription, {
    ...record.step('open', 'once', caller),
    ...{ requestedAt, customerId, email, plan, gateway, startAt, anchorDay, testClock, ...cards },
    ...(limits !== undefined && { limits }),
  });
  return await answerOf(saga, opened, caller);
}

async function carryOut(saga: SubscriptionSaga, command: SubscriptionCommand): Promise<SubscriptionAnswer> {
  const { record } = saga;
  const { caller } = command.request;
  if (command.kind === 'advance') {
    do await catchUpUnlessStopped(saga);
    while (record.hasWork);
    return record.answer();
  }
  for (;;) {
    const result = await step(saga, command);
    if ('kind' in result) return result;
    if (result.outcome === 'refused' || !result.busy) return await answerOf(saga, result, caller);
    if (!stops(command)) await catchUpUnlessStopped(saga);
    else if (record.charge !== null) await bill(saga, record.charge.paymentId, ownCaller(), command);
  }
}

/** Does what is due. A command that stops charges comes before the rest of it, and before the command that waits here. */
async function catchUpUnlessStopped(saga: SubscriptionSaga): Promise<void> {
  await catchUp(saga);
  const stopping = saga.inbox.takeFirst(stops);
  if (stopping !== undefined) saga.inbox.answer(stopping, await carryOut(saga, stopping));
}

/** The step of a command; an answer where a card was refused before it. */
async function step(
  saga: SubscriptionSaga,
  command: Exclude<SubscriptionCommand, { kind: 'advance' }>,
): Promise<SubscriptionStepResult | SubscriptionAnswer> {
  const { record } = saga;
  const { kind, id } = command;
  const base = record.step(kind, id, command.request.caller);
  switch (kind) {
    case 'change':
      return await record.apply(database.changeSubscription, {
        ...{ ...base, ...limitsOf(command.request), plan: command.request.plan },
      });
    case 'cancel':
      return await record.apply(database.cancelSubscription, { ...base, atPeriodEnd: command.request.atPeriodEnd });
    case 'pause':
      return await record.apply(database.pauseSubscription, base);
    case 'resume':
      return await record.apply(database.resumeSubscription, { ...base, ...limitsOf(command.request) });
    case 'paymentMethod': {
      const cards = await storeCards(saga, id, command.request, command.request.caller);
      if (cards.refusal !== null) return record.refuse(cards.refusal);
      const { card, backupCard } = cards;
      return await record.apply(database.replaceSubscriptionCard, { ...base, card, backupCard });
    }
  }
}

const limitsOf = ({ limits }: { readonly limits?: CustomerLimits }) => (limits === undefined ? {} : { limits });

/** Charges what the step has begun, and answers. */
async function answerOf(
  saga: SubscriptionSaga,
  result: SubscriptionStepResult,
  caller: Caller,
): Promise<SubscriptionAnswer> {
  const { record, input } = saga;
  if (result.outcome === 'refused') return record.refuse(result.refusal);
  const { begun, prorated } = result;
  if (begun !== undefined) {
    const billed = await bill(saga, begun, caller);
    if (billed.outcome === 'refused') return record.refuse(billed.refusal);
  }
  const { currency } = input.plan;
  return { ...record.answer(), ...(prorated !== undefined && { proration: { ...prorated, currency } }) };
}

/** Goes on in a new run before the history grows long. A command that arrives meanwhile comes first. */
async function continueIfLong({ input, inbox }: SubscriptionSaga): Promise<void> {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  if ((historyLength < longHistory && !continueAsNewSuggested) || inbox.hasWork) return;
  await condition(() => allHandlersFinished() || inbox.hasWork);
  if (inbox.hasWork) return;
  // Its cards are in Postgres: their tokens have served.
  await continueAsNew<typeof subscription>({ ...input, cardToken: '', backupCardToken: null, continued: true });
}
