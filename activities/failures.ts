/** Failures and results of activities, in a form that Temporal can store. */
import { ApplicationFailure } from '@temporalio/common';
import { describePostgresError, isLasting, postgresErrorOf } from '../db/postgres/lasting-errors.js';
import { type Fault, lastingFailure, nextWaitMs, type RetryClass } from '../domain/retry.js';
import { GatewayFault } from '../gateways/http/fault.js';
import { attemptNumber } from './context.js';

/** The retries of a call: its class, and the attempts already made. */
export interface RetryBudget {
  readonly retryClass: RetryClass;
  readonly retryBaseScale: number;
  /** Attempts that were made before this activity was scheduled. */
  readonly attemptsBefore: number;
}

/** Whether no attempt of the call has been made before, by this activity or an earlier one. */
export function isFirstAttempt(retryBudget: RetryBudget | null): boolean {
  return attemptNumber() + (retryBudget?.attemptsBefore ?? 0) === 1;
}

/**
 * Runs a gateway call. A GatewayFault becomes an ApplicationFailure whose type is the fault. With `retryBudget` the
 * failure also sets the wait before the next attempt, or ends the retries. Any other error is a bug and is thrown
 * unchanged.
 */
export async function askGateway<T>(
  call: () => Promise<T>,
  retryBudget: RetryBudget | null,
  attempt: number,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof GatewayFault)) throw error;
    throw faultFailure(error.fault, error.message, retryBudget, attempt);
  }
}

function faultFailure(
  fault: Fault,
  message: string,
  retryBudget: RetryBudget | null,
  attempt: number,
): ApplicationFailure {
  if (retryBudget === null) return ApplicationFailure.create({ type: fault, message });
  const waitMs = nextWaitMs(
    retryBudget.retryClass,
    fault,
    retryBudget.attemptsBefore + attempt,
    retryBudget.retryBaseScale,
  );
  if (waitMs === null) return ApplicationFailure.create({ type: fault, message, nonRetryable: true });
  return ApplicationFailure.create({ type: fault, message, nextRetryDelay: waitMs });
}

/** Temporal rejects a payload of 2 MiB, and a workflow that receives one is stuck for ever. */
const maxResultBytes = 1024 * 1024;
const maxMessageLength = 2000;

/**
 * Runs an activity so that Temporal can store its result or error. Results that it cannot store, and Postgres errors
 * that no retry fixes, become a `lastingFailure` (domain/retry.ts) without the statement and its values.
 * @param attempt from 1
 */
export async function storable<T>(activity: () => Promise<T>, attempt: number): Promise<T> {
  let result: T;
  try {
    result = await activity();
  } catch (error) {
    throw storableError(error, attempt);
  }
  const bytes = serializedBytes(result);
  if (bytes === null) throw lasting('the result of the activity cannot be serialized');
  if (bytes > maxResultBytes) throw lasting(`the result of the activity is too large: ${bytes} bytes`);
  return result;
}

function storableError(error: unknown, attempt: number): unknown {
  const refused = postgresErrorOf(error);
  // The worker replaces passing errors by a report (workers/interceptors/activity-errors.ts).
  if (refused === null || !isLasting(refused, attempt)) return error;
  return lasting(describePostgresError(refused).slice(0, maxMessageLength));
}

/** Retryable here: each proxy decides whether to retry it. Compensations do (workflows/shared/proxies.ts). */
function lasting(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: lastingFailure, message });
}

/** Null where the value cannot be serialized: a circle, a bigint. */
function serializedBytes(value: unknown): number | null {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch {
    return null;
  }
}
