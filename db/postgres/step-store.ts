/**
 * Sagas change their rows in steps. A SQL function takes an array of steps, applies each as a whole or not at all, and
 * returns a result for each. Steps of concurrent callers share a transaction.
 */
import { type DecidedRefusal, presentRefusal } from '../../domain/refusals.js';
import type { StepResult } from '../../domain/steps.js';
import { batchRunner, batchWaitMs } from './batch.js';
import { Coalescer } from './coalescer.js';

/**
 * The result of a step from Postgres: a refusal has facts instead of a text; `again`: another step came first, so
 * retry.
 */
export type DecidedStep<State, Transition, More = object> =
  | Extract<StepResult<State, Transition, More>, { readonly outcome: 'done' }>
  | (Omit<Refused<State, Transition>, 'refusal'> & { readonly refusal: DecidedRefusal })
  | { readonly outcome: 'again' };
type Refused<State, Transition> = Extract<StepResult<State, Transition>, { readonly outcome: 'refused' }>;

export interface StepStore<Step, Result> {
  /**
   * Applies the step; a repeated step returns its first result. Rejects if Postgres is unavailable (the outcome is then
   * unknown, and the same step may be applied again) or rejects the step as invalid.
   */
  apply(step: Step): Promise<Result>;
}

/** A step that needs more rounds than this has met a fault, not contention. */
const maxRounds = 20;

/**
 * @param call passes steps, as JSON, to the saga's function, and returns their results in order. The caller writes the
 * statement, so that each function has its own prepared one.
 */
export function createStepStore<Step extends { readonly key: string }, State, Transition, More = object>(
  call: (steps: string) => Promise<readonly { results: DecidedStep<State, Transition, More>[] }[]>,
): StepStore<Step, StepResult<State, Transition, More>> {
  type Decided = DecidedStep<State, Transition, More>;
  const run = batchRunner<Step, Decided>(async (steps) => (await call(JSON.stringify(steps)))[0]?.results ?? []);
  const coalescer = new Coalescer<Step, PromiseSettledResult<Decided>>(run, { maxWaitMs: batchWaitMs });
  return {
    async apply(step) {
      for (let round = 1; round <= maxRounds; round++) {
        const settled = await coalescer.submit(step);
        if (settled.status === 'rejected') throw settled.reason;
        const decided = settled.value;
        if (decided.outcome === 'refused') return { ...decided, refusal: presentRefusal(decided.refusal) };
        if (decided.outcome === 'done') return decided;
      }
      throw new Error(`step ${step.key} has no result after ${maxRounds} rounds`);
    },
  };
}
