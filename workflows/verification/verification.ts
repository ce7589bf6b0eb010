/** Compares the whole ledger with levels and open holds: `verification/<id>`. The result is in Postgres. */
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
import { database, verifying } from '../shared/proxies.js';
import { type VerificationAnswer, type VerificationInput, verificationUpdates } from './contract.js';

const ended = defineUpdate<VerificationAnswer>(verificationUpdates.ended);

export async function verification(input: VerificationInput): Promise<VerificationAnswer> {
  const answer = new FirstAnswer<VerificationAnswer>();
  setHandler(ended, () => answer.given);
  const walked = await walk(input);
  answer.give(walked);
  setCurrentDetails(walked === 'completed' ? 'completed: the API has the result' : 'cancelled before its end');
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return walked;
}

async function walk({ verificationId, requestedAt, caller }: VerificationInput): Promise<VerificationAnswer> {
  setCurrentDetails('running: the ledger is being compared with levels and open holds');
  try {
    const { actor, requestId } = caller;
    await verifying.verifyLedger({ id: verificationId, createdAt: requestedAt, by: { actor, requestId } });
    return 'completed';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(() => database.cancelVerification(verificationId));
    return 'cancelled';
  }
}
