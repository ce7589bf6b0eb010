/** Classifies the failures of activities. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { type Fault, isFault, lastingFailure } from '../../domain/retry.js';

/**
 * The cause of an activity's failure. Live, an ActivityFailure wraps a local activity's time-out; in a replay nothing does.
 * Deciding by the wrapper would make the replay differ.
 */
function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}

/** Whether no other proxy may retry the call: the workflow is being cancelled, or the failure is not retryable. */
export function isFinal(error: unknown): boolean {
  const cause = causeOf(error);
  return (
    isCancellation(error) || isLasting(error) || (cause instanceof ApplicationFailure && cause.nonRetryable === true)
  );
}

/** Whether only a person can remove the cause of the failure. */
export function isLasting(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && cause.type === lastingFailure;
}

/**
 * The fault of a failed gateway call. A time-out is `no_answer`: the call may have taken effect. A failure without a fault,
 * for example of our own credentials, says nothing about the call either: `server_error`. Null where the failure is not an
 * activity's: a cancellation, or a bug here.
 */
export function faultOf(error: unknown): Fault | null {
  if (isCancellation(error)) return null;
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) return 'no_answer';
  if (cause instanceof ApplicationFailure) return isFault(cause.type) ? cause.type : 'server_error';
  return null;
}

/** One line about a failure, for people. */
export function describe(error: unknown): string {
  const cause = causeOf(error);
  return cause instanceof Error ? cause.message : String(cause);
}
