/** People's decisions on the cases of this workflow. */
import { type CancellationScope, defineSignal, setHandler } from '@temporalio/workflow';
import { outermostScope } from './branches.js';
import { type ReviewDecision, reviewSignal } from './contract.js';

type Decisions = ReviewDecision['resolution'][];

const decision = defineSignal<[ReviewDecision]>(reviewSignal);

/** The cases of each workflow, by its outermost scope: all workflows of a worker share this module (dev/build.mjs). */
const casesByWorkflow = new WeakMap<CancellationScope, Map<string, Decisions>>();

/** Decisions on one case, oldest first; the array grows as they come, and has those that came before anybody asked. */
export function reviewDecisions(reviewId: string): Decisions {
  const decisions: Decisions = [];
  const workflow = outermostScope();
  const known = casesByWorkflow.get(workflow);
  const cases = known ?? new Map<string, Decisions>();
  cases.set(reviewId, decisions);
  if (known !== undefined) return decisions;
  casesByWorkflow.set(workflow, cases);
  // What was sent before is handed over at once: the case must be there by now.
  setHandler(decision, (made) => {
    if (made?.resolution === 'retry' || made?.resolution === 'done') cases.get(made.reviewId)?.push(made.resolution);
  });
  return decisions;
}
