/**
 * Workflows in which several things run at the same time. Their steps are ordinary activities, each with events of its own,
 * and none is a local activity. Live, the results of two local activities come one after the other, in two activations; a
 * replay hands over at once every result that it finds recorded (sdk-core, `apply_local_activity_peeked_resolutions`), so
 * what one branch does between them is done in another order, and the workflow task fails for ever.
 */
import { CancellationScope } from '@temporalio/workflow';

/** By their outermost scope: all workflows of a worker share this module (dev/build.mjs). */
const branched = new WeakSet<CancellationScope>();

/** Runs what has several branches. */
export async function inBranches<T>(run: () => Promise<T>): Promise<T> {
  const workflow = outermostScope();
  branched.add(workflow);
  try {
    return await run();
  } finally {
    branched.delete(workflow);
  }
}

/** Whether the workflow that is running has several branches at the moment. */
export function isBranched(): boolean {
  return branched.has(outermostScope());
}

/** The scope of the whole workflow: what a worker's workflows have of their own. */
export function outermostScope(): CancellationScope {
  let scope = CancellationScope.current();
  while (scope.parent !== undefined) scope = scope.parent;
  return scope;
}
