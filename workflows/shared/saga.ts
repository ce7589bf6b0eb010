/**
 * Compensations. Each is registered before the step that it undoes, because an unanswered step may have taken effect; so a
 * compensation does nothing if its step did not. They run newest first and cannot be cancelled. A compensation that fails
 * opens a review and is retried until it succeeds or a person resolves the review as done. The others run after it.
 */
import { CancellationScope, condition, isCancellation, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { isBranched } from './branches.js';
import type { RetrySettings } from './contract.js';
import { describe } from './failures.js';
import { attemptInTask, compensation, database, endlessCompensation } from './proxies.js';
import { reviewDecisions } from './reviews.js';

/** Undoes a step through the given proxy, which sets the retries. */
export type Undo = (activities: Activities) => Promise<void>;

interface Compensation {
  readonly name: string;
  readonly undo: Undo;
  /** The facts that a person needs to compensate by hand. No personal data, no card tokens. */
  readonly facts: () => Readonly<Record<string, unknown>>;
}

/** Attempts before a review is opened. */
const attemptsBeforeReview = 5;

export class Saga {
  private readonly compensations: Compensation[] = [];

  /** @param onReview called each time a failing compensation has opened a review */
  constructor(
    private readonly retry: RetrySettings,
    private readonly onReview: () => Promise<void> = async () => undefined,
  ) {}

  /** Registers the undo of the next step. The returned function undoes that step alone and leaves it registered. */
  undo(name: string, undo: Undo, facts: Compensation['facts'] = () => ({})): () => Promise<void> {
    const step = { name, undo, facts };
    this.compensations.push(step);
    return () => CancellationScope.nonCancellable(() => carryOut(step, this.retry, this.onReview));
  }

  /** Undoes every registered step, newest first. Returns when each is undone or a person has resolved its review as done. */
  async compensate(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (let next = this.compensations.pop(); next !== undefined; next = this.compensations.pop())
        await carryOut(next, this.retry, this.onReview);
    });
  }
}

async function carryOut(step: Compensation, retry: RetrySettings, onReview: () => Promise<void>): Promise<void> {
  const local = !isBranched();
  if (local)
    try {
      return await step.undo(attemptInTask);
    } catch {
      // retried below
    }
  try {
    return await step.undo(compensation(retry, attemptsBeforeReview - (local ? 1 : 0)));
  } catch (error) {
    await untilDoneOrDecided(step, retry, describe(error), onReview);
  }
}

/** Opens a review and retries for ever. A person may ask for a retry at once, or resolve the review as done. */
async function untilDoneOrDecided(
  step: Compensation,
  retry: RetrySettings,
  lastError: string,
  onReview: () => Promise<void>,
): Promise<void> {
  const { workflowId } = workflowInfo();
  const reviewId = `rev_${uuid4().replaceAll('-', '')}`;
  const decisions = reviewDecisions(reviewId);
  await database.openReview({
    id: reviewId,
    kind: 'compensation_failed',
    subject: workflowId,
    detail: { compensation: step.name, ...step.facts() },
    attempts: attemptsBeforeReview,
    lastError,
    workflowId,
  });
  await onReview();
  for (;;) {
    const attempt = new CancellationScope();
    const undone = attempt
      .run(() => step.undo(endlessCompensation(retry)))
      .then(
        () => true,
        (error: unknown) => {
          if (isCancellation(error)) return false;
          throw error;
        },
      );
    let decided = false;
    const done = await Promise.race([
      undone,
      condition(() => decisions.length > 0).then(() => {
        decided = true;
        return false;
      }),
    ]);
    if (done) return await database.closeReview(reviewId, closed('success', 'succeeded'));
    if (!decided) continue;
    attempt.cancel();
    await undone;
    // The API has recorded the person's note on the review.
    if (decisions.shift() === 'done') return;
  }
}

function closed(by: 'success', resolution: 'succeeded') {
  return {
    by,
    resolution,
    note: null,
    actor: `workflow:${workflowInfo().workflowId}`,
    at: new Date().toISOString(),
  } as const;
}
