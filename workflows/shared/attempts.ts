/** Asking the outside world as often as a class of calls allows. */
import { sleep } from '@temporalio/workflow';
import type { RetryBudget } from '../../activities/failures.js';
import type { Activities } from '../../activities/index.js';
import { type Fault, nextWaitMs, type RetryClass } from '../../domain/retry.js';
import { isBranched } from './branches.js';
import type { RetrySettings } from './contract.js';
import { faultOf } from './failures.js';
import { firstTry, patient } from './proxies.js';

/** The attempts are used up and nobody has answered: it may have happened, or not. */
export const unanswered = Symbol('unanswered');

const retryClassNames: Readonly<Record<RetryClass, string>> = {
  authorize: 'authorize',
  capture: 'capture',
  fraud: 'fraud score',
  backupCard: 'backup card',
  replenishmentSupplier: 'supplier',
  supplierReserve: 'supplier',
};

/** One step, by whichever way it is asked. */
export type Call<T> = (via: Activities, retryBudget: RetryBudget | null) => Promise<T>;

/**
 * Asks once inside the workflow task, and as often as the class allows outside of it; only outside where several things run
 * at the same time.
 */
export async function ask<T>(
  retryClass: RetryClass,
  retry: RetrySettings,
  call: Call<T>,
): Promise<T | typeof unanswered> {
  if (isBranched()) return await askOutside(retryClass, retry, call, 0);
  try {
    return await call(firstTry, null);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return await askOn(retryClass, retry, fault, call);
  }
}

/** Goes on asking, outside of the workflow task, what the first try has left undecided with this fault. */
export async function askOn<T>(
  retryClass: RetryClass,
  retry: RetrySettings,
  fault: Fault,
  call: Call<T>,
): Promise<T | typeof unanswered> {
  const waitMs = nextWaitMs(retryClass, fault, 1, retry.retryBaseScale);
  if (waitMs === null) return unanswered;
  await sleep(waitMs, { summary: `Wait before the next attempt (${retryClassNames[retryClass]})` });
  return await askOutside(retryClass, retry, call, 1);
}

async function askOutside<T>(
  retryClass: RetryClass,
  retry: RetrySettings,
  call: Call<T>,
  attemptsBefore: number,
): Promise<T | typeof unanswered> {
  try {
    return await call(patient(retry), { retryClass, retryBaseScale: retry.retryBaseScale, attemptsBefore });
  } catch (error) {
    if (faultOf(error) === null) throw error;
    return unanswered;
  }
}
