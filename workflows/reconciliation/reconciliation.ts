/** Compares our payments with the processors' books: `reconciliation/<id>`. The result is in Postgres. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { FirstAnswer } from '../shared/first-answer.js';
import { database, reconciling } from '../shared/proxies.js';
import { type ReconciliationAnswer, type ReconciliationInput, reconciliationUpdates } from './contract.js';

const ended = defineUpdate<ReconciliationAnswer>(reconciliationUpdates.ended);

export async function reconciliation(input: ReconciliationInput): Promise<ReconciliationAnswer> {
  const answer = new FirstAnswer<ReconciliationAnswer>();
  setHandler(ended, () => answer.given);
  const compared = await compare(input);
  answer.give(compared);
  setCurrentDetails(`${compared}: the API has the result`);
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return compared;
}

async function compare({
  reconciliationId: id,
  from,
  to,
  actor,
  requestId = null,
  requestedAt,
}: ReconciliationInput): Promise<ReconciliationAnswer> {
  setCurrentDetails('running: payments are compared with the processors’ books');
  try {
    await reconciling.reconcilePayments({ id, from, to, actor, requestId, createdAt: requestedAt });
    return 'completed';
  } catch (error) {
    const why = isCancellation(error) ? 'it was cancelled' : causeOf(error);
    await CancellationScope.nonCancellable(() => database.failReconciliation(id, why));
    return 'failed';
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? causeOf(error.cause) : error.message;
}
