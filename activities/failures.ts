/** How what goes wrong in an activity crosses Temporal. */
import { ApplicationFailure } from '@temporalio/common';
import type { Fault, RetryClass } from '../domain/retry.js';
import { nextWaitMs } from '../domain/retry.js';
import { GatewayFault } from '../gateways/fault.js';
import { attemptNumber } from './context.js';

/** How a call is tried again: its class, and which attempt of all attempts of the call this activity's first one is. */
export interface Patience {
  readonly retryClass: RetryClass;
  readonly retryBaseScale: number;
  /** Attempts that were made before this activity was scheduled. */
  readonly attemptsBefore: number;
}

/** Whether nothing was sent before: by this activity, or by one that came before it. */
export function isFirstAttempt(patience: Patience | null): boolean {
  return attemptNumber() + (patience?.attemptsBefore ?? 0) === 1;
}

/**
 * Runs a gateway call. A GatewayFault becomes an ApplicationFailure whose type is the fault; with `patience` it also says
 * when to try again, or that the attempts are used up. Anything else is a bug and is thrown as it is.
 */
export async function askGateway<T>(call: () => Promise<T>, patience: Patience | null, attempt: number): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof GatewayFault)) throw error;
    throw faultFailure(error.fault, error.message, patience, attempt);
  }
}

function faultFailure(fault: Fault, message: string, patience: Patience | null, attempt: number): ApplicationFailure {
  if (patience === null) return ApplicationFailure.create({ type: fault, message });
  const waitMs = nextWaitMs(patience.retryClass, fault, patience.attemptsBefore + attempt, patience.retryBaseScale);
  if (waitMs === null) return ApplicationFailure.create({ type: fault, message, nonRetryable: true });
  return ApplicationFailure.create({ type: fault, message, nextRetryDelay: waitMs });
}
