/**
 * Cancelling a workflow in the Web UI. The saga does not stop at once: it treats the cancellation as a command, compensates
 * what it has done, and ends by itself.
 */
import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import { stuckStepsStopWhen } from './stuck-steps.js';

interface Stop {
  /** Called when the workflow is cancelled. */
  readonly onCancel: () => void;
  /** Whether a command to stop is queued: a stuck step is then retried at once, and given up if it can be. */
  readonly wanted: () => boolean;
}

/** Runs a saga until it ends by itself, even if its workflow is cancelled. */
export async function runToEnd<T>(stop: Stop, saga: () => Promise<T>): Promise<T> {
  CancellationScope.current().cancelRequested.catch(stop.onCancel);
  stuckStepsStopWhen(stop.wanted);
  return await CancellationScope.nonCancellable(saga);
}

/**
 * Resumes an update handler's wait after a cancellation of the workflow has interrupted it, since the saga still answers.
 * Handlers run in the scope that such a cancellation ends. Throws any other error.
 */
export async function outliveCancellation(error: unknown, isAnswered: () => boolean): Promise<void> {
  if (!isCancellation(error) || !patched('updates-outlive-cancellation')) throw error;
  await CancellationScope.nonCancellable(() => condition(isAnswered));
}
