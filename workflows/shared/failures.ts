/** Reading what an activity threw. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { type Fault, isFault, lastingFailure } from '../../domain/retry.js';

/**
 * What stands behind a failed activity. A local activity's time-out is wrapped in an ActivityFailure when it happens and
 * bare when it is replayed: looking at the wrapping would decide differently the second time.
 */
function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}

/** Whether asking by another way is pointless: the workflow is being cancelled, or the activity said so. */
export function isFinal(error: unknown): boolean {
  const cause = causeOf(error);
  return (
    isCancellation(error) || isLasting(error) || (cause instanceof ApplicationFailure && cause.nonRetryable === true)
  );
}

/** Whether a step failed for a reason that only a person can remove. */
export function isLasting(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && cause.type === lastingFailure;
}

/**
 * What kept a gateway call from being answered. A time-out may have happened: `no_answer`. What an activity threw without
 * saying a fault (the processor refused our own credentials, say) is no answer about the deed either: `server_error`.
 * Null where the failure is not an activity's: a cancellation, or a bug here.
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
