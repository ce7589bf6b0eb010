/** Waiting inside the handler of an update. */
import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';

/**
 * Resumes the wait of an update's handler that a cancellation of the workflow has interrupted: the workflow still comes to
 * its end, which is the answer. Handlers run in the scope that such a cancellation ends. Throws any other error.
 */
export async function outliveCancellation(error: unknown, isAnswered: () => boolean): Promise<void> {
  if (!isCancellation(error) || !patched('updates-outlive-cancellation')) throw error;
  await CancellationScope.nonCancellable(() => condition(isAnswered));
}
