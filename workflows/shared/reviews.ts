/** People's decisions on the reviews of this workflow. */
import { type CancellationScope, defineSignal, setHandler } from '@temporalio/workflow';
import { outermostScope } from './branches.js';
import { type ReviewDecision, reviewSignal } from './contract.js';

type Decisions = ReviewDecision['resolution'][];

const decision = defineSignal<[ReviewDecision]>(reviewSignal);

/** The reviews of each workflow, by its outermost scope: all workflows of a worker share this module (dev/build.mjs). */
const reviewsByWorkflow = new WeakMap<CancellationScope, Map<string, Decisions>>();

/** The decisions on a review, oldest first. New decisions are appended; call this before the review is opened. */
export function reviewDecisions(reviewId: string): Decisions {
  const decisions: Decisions = [];
  const workflow = outermostScope();
  const known = reviewsByWorkflow.get(workflow);
  const reviews = known ?? new Map<string, Decisions>();
  reviews.set(reviewId, decisions);
  if (known !== undefined) return decisions;
  reviewsByWorkflow.set(workflow, reviews);
  // Registering the handler delivers earlier signals, so the review must be in the map by now.
  setHandler(decision, (made) => {
    if (made?.resolution === 'retry' || made?.resolution === 'done') reviews.get(made.reviewId)?.push(made.resolution);
  });
  return decisions;
}
