/**
 * A person cancels a workflow in the Web UI. No saga stops there and then: it hears a command to stop, puts right what it has
 * begun, and ends by itself.
 */
import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import { stuckStepsStopWhen } from './stuck-steps.js';

interface Stop {
  /** Hears that the workflow was cancelled. */
  readonly onCancel: () => void;
  /** Whether a command to stop is waiting: then a step that is stuck is retried at once, and given up if it can be. */
  readonly wanted: () => boolean;
}

/** Runs a saga until it ends by itself, also where its workflow is cancelled. */
export async function runToEnd<T>(stop: Stop, saga: () => Promise<T>): Promise<T> {
  CancellationScope.current().cancelRequested.catch(stop.onCancel);
  stuckStepsStopWhen(stop.wanted);
  return await CancellationScope.nonCancellable(saga);
}

/**
 * Resumes the wait of an update's handler that a cancellation of the workflow has interrupted: the workflow still comes to
 * its end, which is the answer. Handlers run in the scope that such a cancellation ends. Throws any other error.
 */
export async function outliveCancellation(error: unknown, isAnswered: () => boolean): Promise<void> {
  if (!isCancellation(error) || !patched('updates-outlive-cancellation')) throw error;
  await CancellationScope.nonCancellable(() => condition(isAnswered));
}
