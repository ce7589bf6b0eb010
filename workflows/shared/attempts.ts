/** Calls to gateways with the retries of their class. */
import { sleep } from '@temporalio/workflow';
import type { RetryBudget } from '../../activities/failures.js';
import type { Activities } from '../../activities/index.js';
import { type Fault, nextWaitMs, type RetryClass } from '../../domain/retry.js';
import { isBranched } from './branches.js';
import type { RetrySettings } from './contract.js';
import { faultOf } from './failures.js';
import { reported, untilReported } from './processor-reports.js';
import { attemptInTask, gatewayRetries } from './proxies.js';

/** All attempts failed without an answer: the call may have taken effect, or not. */
export const unanswered = Symbol('unanswered');

const retryClassNames: Readonly<Record<RetryClass, string>> = {
  authorize: 'authorize',
  capture: 'capture',
  fraud: 'fraud score',
  refund: 'refund',
  backupCard: 'backup card',
  replenishmentSupplier: 'supplier',
  supplierReserve: 'supplier',
};

/** One step, called through any proxy of the activities. */
export type Call<T> = (via: Activities, retryBudget: RetryBudget | null) => Promise<T>;

/** Attempts the call once inside the workflow task, then retries outside it. A workflow with branches only calls outside. */
export async function ask<T>(
  retryClass: RetryClass,
  retry: RetrySettings,
  call: Call<T>,
): Promise<T | typeof unanswered> {
  if (isBranched()) return await askOutside(retryClass, retry, call, 0, false);
  try {
    return await call(attemptInTask, null);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return await askAgain(retryClass, retry, fault, call);
  }
}

/** Retries a call outside the workflow task after its first attempt failed with this fault. */
export async function askAgain<T>(
  retryClass: RetryClass,
  retry: RetrySettings,
  fault: Fault,
  call: Call<T>,
): Promise<T | typeof unanswered> {
  const waitMs = nextWaitMs(retryClass, fault, 1, retry.retryBaseScale);
  if (waitMs === null) return unanswered;
  const summary = `Wait before the next attempt (${retryClassNames[retryClass]})`;
  // A report of the processor settles a doubt; it makes no failing processor well.
  const inDoubt = fault === 'no_answer';
  await unlessReported(retryClass, inDoubt, () => sleep(waitMs, { summary }));
  return await askOutside(retryClass, retry, call, 1, inDoubt);
}

async function askOutside<T>(
  retryClass: RetryClass,
  retry: RetrySettings,
  call: Call<T>,
  attemptsBefore: number,
  inDoubt: boolean,
): Promise<T | typeof unanswered> {
  const { retryBaseScale } = retry;
  const retries = (before: number) =>
    call(gatewayRetries(retry), { retryClass, retryBaseScale, attemptsBefore: before });
  try {
    let answer = await unlessReported(retryClass, inDoubt, () => retries(attemptsBefore));
    // The attempt that was cut short may have taken effect, so the next one looks it up first.
    while (answer === reported) answer = await unlessReported(retryClass, inDoubt, () => retries(attemptsBefore));
    return answer;
  } catch (error) {
    if (faultOf(error) === null) throw error;
    return unanswered;
  }
}

/** The calls that a card processor answers. */
const processorClasses: readonly RetryClass[] = ['authorize', 'backupCard', 'capture', 'refund'];

/** Runs a call, or the wait for its next attempt. Cut short where the processor reports that it has decided. */
async function unlessReported<T>(
  retryClass: RetryClass,
  inDoubt: boolean,
  run: () => Promise<T>,
): Promise<T | typeof reported> {
  return inDoubt && processorClasses.includes(retryClass) ? await untilReported(run) : await run();
}
