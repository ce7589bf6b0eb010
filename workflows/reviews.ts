/** People's decisions on the cases of this workflow. */
import { defineSignal, setHandler } from '@temporalio/workflow';
import { type ReviewDecision, reviewSignal } from './contract.js';

const decision = defineSignal<[ReviewDecision]>(reviewSignal);

const waiting = new Map<string, ReviewDecision['resolution'][]>();

/** Decisions on one case, oldest first; the array grows as they come. */
export function reviewDecisions(reviewId: string): ReviewDecision['resolution'][] {
  const decisions: ReviewDecision['resolution'][] = [];
  waiting.set(reviewId, decisions);
  setHandler(decision, (made) => {
    if (made?.resolution === 'retry' || made?.resolution === 'done') waiting.get(made.reviewId)?.push(made.resolution);
  });
  return decisions;
}
