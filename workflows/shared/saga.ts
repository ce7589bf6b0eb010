/**
 * Compensations. Each is registered before the step that it undoes, because a step that was not answered may have
 * happened; so each does nothing where nothing happened. They run newest first and cannot be cancelled. One that does
 * not succeed opens a review and is retried until it succeeds or a person takes it as done; the others run all the same.
 */
import { CancellationScope, condition, isCancellation, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { isBranched } from './branches.js';
import type { RetrySettings } from './contract.js';
import { describe } from './failures.js';
import { compensation, database, endlessCompensation, firstTry } from './proxies.js';
import { reviewDecisions } from './reviews.js';

/** What undoes a step, by the activities it is given: they differ in how long they go on. */
export type Undo = (activities: Activities) => Promise<void>;

interface Compensation {
  readonly name: string;
  readonly undo: Undo;
  /** What a person needs to know to settle it by hand. No personal data, no card tokens. */
  readonly facts: () => Readonly<Record<string, unknown>>;
}

/** Attempts before a person is told. */
const attemptsBeforeReview = 5;

export class Saga {
  private readonly compensations: Compensation[] = [];

  /** @param onReview carried out each time a person is told that undoing does not succeed */
  constructor(
    private readonly retry: RetrySettings,
    private readonly onReview: () => Promise<void> = async () => undefined,
  ) {}

  /** Registers what undoes the step that comes next. The answer undoes that step alone and leaves it registered. */
  undo(name: string, undo: Undo, facts: Compensation['facts'] = () => ({})): () => Promise<void> {
    const step = { name, undo, facts };
    this.compensations.push(step);
    return () => CancellationScope.nonCancellable(() => carryOut(step, this.retry, this.onReview));
  }

  /** Undoes everything that was registered, newest first. Returns when all is undone or was taken as done. */
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
      return await step.undo(firstTry);
    } catch {
      // not undone yet: continued below, with more retries
    }
  try {
    return await step.undo(compensation(retry, attemptsBeforeReview - (local ? 1 : 0)));
  } catch (error) {
    await untilDoneOrDecided(step, retry, describe(error), onReview);
  }
}

/** Tries on for ever, in sight of a person, who may ask for a try at once or take the case as done. */
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
    // The person's own words are on the case already: the API wrote them when it took the decision.
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
