/**
 * Database steps that fail for a reason that no retry will mend: a constraint or a trigger refuses them, or Postgres cannot
 * keep their values. The step is put before a person and retried at most 60 s apart, so that it succeeds by itself once the
 * cause is gone. It does not keep anybody from cancelling: a stop, or the person's `done`, gives up a step that the saga can
 * do without.
 */
import { CancellationScope, condition, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { type Refusal, refusal } from '../../domain/errors.js';
import { outermostScope } from './branches.js';
import { describe, isLasting } from './failures.js';
import { reviewDecisions } from './reviews.js';

/**
 * Steps that may be given up: nothing has come of them, and their callers handle a StepGivenUp. All others must
 * be done before the saga can end, whatever anybody decides.
 */
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
  'planReplenishment',
  'reportReplenishmentFailure',
  'markShipped',
];

/** A step that was put before a person and is not going to be done. */
class StepGivenUp extends Error {
  override readonly name = 'StepGivenUp';
}

/** What the step answers, or what stands in for it where it was given up. */
export async function unlessGivenUp<T, Instead>(step: Promise<T>, instead: () => Instead): Promise<T | Instead> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof StepGivenUp) return instead();
    throw error;
  }
}

/** Why a request was not carried out whose step was given up. */
export function givenUp(): Refusal {
  return refusal('internal', 'the step could not be recorded and was given up; a person was told');
}

/** For each workflow, by its outermost scope, whether somebody wants it to stop. */
const stops = new WeakMap<CancellationScope, () => boolean>();

/** Names what tells this workflow that it is to stop: then a step that is stuck is tried at once, and given up if it can be. */
export function stuckStepsStopWhen(wanted: () => boolean): void {
  stops.set(outermostScope(), wanted);
}

/**
 * Calls `plain`; a step that fails lastingly is put before a person and retried by `endless`.
 * @param plain ends with a failure where the reason is lasting
 * @param endless retries whatever the reason
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
          // A case that cannot be written is put before nobody.
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
      // Somebody wants an end of it. What counts is whether the step can be done now.
      const attempted = await this.attempt();
      if (attempted.kind === 'done') return await this.close(attempted.result, 'succeeded');
      if (dispensable.includes(this.step)) {
        // The API closes the case that a person has decided, in that person's name.
        if (decision === undefined) await this.close(undefined, 'done');
        throw new StepGivenUp(`${this.step} was given up: ${attempted.error}`);
      }
      // The API has closed the case; it is not closed.
      if (decision === 'done') await this.open(attempted.error);
    }
  }

  /** Retries until the step is done, or somebody decides or wants the workflow to stop. */
  private async retry(): Promise<Attempted<T>> {
    const scope = new CancellationScope();
    const attempt = scope.run(this.untilDone).then(
      (result): Attempted<T> => ({ kind: 'done', result }),
      (error: unknown): Attempted<T> => {
        // Called off while an attempt was under way, it ends with that attempt's own failure.
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

  /** Does nothing where a person has closed it. */
  private async close<R>(result: R, resolution: 'succeeded' | 'done'): Promise<R> {
    await this.cases.closeReview(this.reviewId, {
      by: resolution === 'done' ? 'person' : 'success',
      resolution,
      note: resolution === 'done' ? 'given up: somebody wanted the workflow to stop' : null,
      actor: `workflow:${workflowInfo().workflowId}`,
      at: new Date().toISOString(),
    });
    return result;
  }
}

/** The key of a step, where it has one; the rest of what it is asked may be personal. */
function keyOf(args: readonly unknown[]): string | null {
  const [step] = args;
  if (typeof step !== 'object' || step === null || !('key' in step)) return null;
  // A key may hold an update's id, which is the client's word: the case must be writable whatever it is.
  return typeof step.key === 'string' ? step.key.replace(/[^\x20-\x7e]/g, '?').slice(0, 500) : null;
}
