/**
 * Database steps with a lasting failure: a constraint or a trigger refuses them, or Postgres cannot store their values. Such
 * a step opens a review and is retried at most 60 s apart, so that it succeeds once a person has removed the cause. A
 * command to stop, or the person's `done`, gives up a step that the saga can do without.
 */
import { CancellationScope, condition, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { type Refusal, refusal } from '../../domain/errors.js';
import { outermostScope } from './branches.js';
import { describe, isLasting } from './failures.js';
import { reviewDecisions } from './reviews.js';

/** Steps that may be given up: their callers handle a StepGivenUp. All others must succeed before the saga can end. */
const dispensable: readonly (keyof Activities)[] = [
  'openOrder',
  'addOrderLine',
  'beginConfirm',
  'settleOrder',
  'awaitSupplier',
  'restockOrder',
  'releaseOrder',
  'noteOrder',
  'openTransfer',
  'moveTransfer',
  'shipTransfer',
  'receiveTransfer',
  'reviewTransfer',
  'beginRefund',
  'acceptRefund',
  'retryRefund',
  'openSubscription',
  'changeSubscription',
  'pauseSubscription',
  'resumeSubscription',
  'replaceSubscriptionCard',
  'planReplenishment',
  'reportReplenishmentFailure',
  'markShipped',
];

/** A stuck step was given up. */
class StepGivenUp extends Error {
  override readonly name = 'StepGivenUp';
}

/** The step's result, or `instead()` if the step was given up. */
export async function unlessGivenUp<T, Instead>(step: Promise<T>, instead: () => Instead): Promise<T | Instead> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof StepGivenUp) return instead();
    throw error;
  }
}

/** The refusal of a command whose step was given up. */
export function givenUp(): Refusal {
  return refusal('internal', 'the step could not be recorded and was given up; a review was opened');
}

/** For each workflow, by its outermost scope, whether a command to stop is queued. */
const stops = new WeakMap<CancellationScope, () => boolean>();

/** While `wanted` is true, a stuck step of this workflow is retried at once, and given up if it can be. */
export function stuckStepsStopWhen(wanted: () => boolean): void {
  stops.set(outermostScope(), wanted);
}

/**
 * Calls `plain`. A step with a lasting failure opens a review and is retried through `endless`.
 * @param plain does not retry lasting failures
 * @param endless retries every failure
 */
export function withReviews(plain: Activities, endless: Activities): Activities {
  const reviewed: Activities = new Proxy(plain, {
    get:
      (_target, name) =>
      async (...args: never[]) => {
        const key = name as keyof Activities;
        const once = () => Reflect.apply(plain[key], undefined, args);
        const untilDone = () => Reflect.apply(endless[key], undefined, args);
        try {
          return await once();
        } catch (error) {
          if (!isLasting(error)) throw error;
          // A review that cannot be written cannot have a review of its own.
          if (key === 'openReview' || key === 'closeReview') return await untilDone();
          return await new StuckStep(reviewed, key, keyOf(args), once, untilDone).run(describe(error));
        }
      },
  });
  return reviewed;
}

type Attempted<T> =
  | { readonly kind: 'done'; readonly result: T }
  | { readonly kind: 'refused'; readonly error: string };

class StuckStep<T> {
  private reviewId = '';
  private decisions: ReturnType<typeof reviewDecisions> = [];
  private stopTried = false;
  private readonly stopWanted: () => boolean;

  constructor(
    private readonly cases: Pick<Activities, 'openReview' | 'closeReview'>,
    private readonly step: keyof Activities,
    private readonly key: string | null,
    private readonly once: () => Promise<T>,
    private readonly untilDone: () => Promise<T>,
  ) {
    this.stopWanted = stops.get(outermostScope()) ?? (() => false);
  }

  async run(firstError: string): Promise<T> {
    await this.open(firstError);
    for (;;) {
      const waited = await this.retry();
      if (waited.kind === 'done') return await this.close(waited.result, 'succeeded');
      const decision = this.decisions.shift();
      if (decision === 'retry') continue;
      if (decision === undefined) this.stopTried = true;
      // Asked to give up: one last attempt decides.
      const attempted = await this.attempt();
      if (attempted.kind === 'done') return await this.close(attempted.result, 'succeeded');
      if (dispensable.includes(this.step)) {
        // The API closes a review in the name of the person who decided it.
        if (decision === undefined) await this.close(undefined, 'done');
        throw new StepGivenUp(`${this.step} was given up: ${attempted.error}`);
      }
      // The API has closed the review, but the step cannot be given up.
      if (decision === 'done') await this.open(attempted.error);
    }
  }

  /** Retries until the step succeeds, a person decides, or a command to stop arrives. */
  private async retry(): Promise<Attempted<T>> {
    const scope = new CancellationScope();
    const attempt = scope.run(this.untilDone).then(
      (result): Attempted<T> => ({ kind: 'done', result }),
      (error: unknown): Attempted<T> => {
        // Cancelled with an attempt in flight, the activity ends with that attempt's own failure.
        if (scope.consideredCancelled) return { kind: 'refused', error: describe(error) };
        throw error;
      },
    );
    const listening = new CancellationScope();
    const called = listening.run(() =>
      condition(() => this.decisions.length > 0 || (!this.stopTried && this.stopWanted())),
    );
    called.then(() => scope.cancel()).catch(() => undefined);
    const waited = await attempt;
    listening.cancel();
    return waited;
  }

  private async attempt(): Promise<Attempted<T>> {
    try {
      return { kind: 'done', result: await this.once() };
    } catch (error) {
      if (!isLasting(error)) throw error;
      return { kind: 'refused', error: describe(error) };
    }
  }

  private async open(lastError: string): Promise<void> {
    const { workflowId } = workflowInfo();
    this.reviewId = `rev_${uuid4().replaceAll('-', '')}`;
    this.decisions = reviewDecisions(this.reviewId);
    await this.cases.openReview({
      id: this.reviewId,
      kind: 'step_failed',
      subject: workflowId,
      detail: { step: this.step, key: this.key, canBeGivenUp: dispensable.includes(this.step) },
      attempts: 1,
      lastError,
      workflowId,
    });
  }

  /** Does nothing where a person has closed the review. */
  private async close<R>(result: R, resolution: 'succeeded' | 'done'): Promise<R> {
    await this.cases.closeReview(this.reviewId, {
      by: resolution === 'done' ? 'person' : 'success',
      resolution,
      note: resolution === 'done' ? 'given up: the workflow had to stop' : null,
      actor: `workflow:${workflowInfo().workflowId}`,
      at: new Date().toISOString(),
    });
    return result;
  }
}

/** The key of a step, if it has one. Its other arguments may be personal data. */
function keyOf(args: readonly unknown[]): string | null {
  const [step] = args;
  if (typeof step !== 'object' || step === null || !('key' in step)) return null;
  // A key may contain an update's id, which a client chose: make it storable.
  return typeof step.key === 'string' ? step.key.replace(/[^\x20-\x7e]/g, '?').slice(0, 500) : null;
}
