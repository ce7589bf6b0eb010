/**
 * Workflows with concurrent branches. They call ordinary activities only, never local ones. Live, two local activities
 * resolve in two activations; a replay resolves every recorded one at once (sdk-core,
 * `apply_local_activity_peeked_resolutions`). The branches would then act in another order, and the workflow task would fail
 * for ever.
 */
import { CancellationScope } from '@temporalio/workflow';

/** By their outermost scope: all workflows of a worker share this module (dev/build.mjs). */
const branched = new WeakSet<CancellationScope>();

/** Marks the workflow as branched while `run` runs. */
export async function inBranches<T>(run: () => Promise<T>): Promise<T> {
  const workflow = outermostScope();
  branched.add(workflow);
  try {
    return await run();
  } finally {
    branched.delete(workflow);
  }
}

/** Whether the current workflow has several branches now. */
export function isBranched(): boolean {
  return branched.has(outermostScope());
}

/** The scope of the whole workflow, which identifies it among the worker's workflows. */
export function outermostScope(): CancellationScope {
  let scope = CancellationScope.current();
  while (scope.parent !== undefined) scope = scope.parent;
  return scope;
}
