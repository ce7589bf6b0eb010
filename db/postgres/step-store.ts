/**
 * Sagas change their rows in steps. A step is one transaction, done by a SQL function that takes an array of steps and
 * answers each one; steps of concurrent callers share a transaction.
 */
import { type DecidedRefusal, presentRefusal } from '../../domain/refusals.js';
import type { StepResult } from '../../domain/steps.js';
import { batchRunner, batchWaitMs } from './batch.js';
import { Coalescer } from './coalescer.js';

/** What Postgres answers to a step: facts in place of a sentence; `again` where another step came before it. */
export type DecidedStep<State, Transition, More = object> =
  | Extract<StepResult<State, Transition, More>, { readonly outcome: 'done' }>
  | (Omit<Refused<State, Transition>, 'refusal'> & { readonly refusal: DecidedRefusal })
  | { readonly outcome: 'again' };
type Refused<State, Transition> = Extract<StepResult<State, Transition>, { readonly outcome: 'refused' }>;

export interface StepStore<Step, Result> {
  /**
   * Does the step, or answers what it did the first time. Rejects when Postgres cannot be asked, or refuses the step as
   * faulty; where it could not be reached the outcome is unknown, and the same step may be applied again.
   */
  apply(step: Step): Promise<Result>;
}

/** A step that finds no turn in so many rounds meets a fault, not a crowd. */
const maxRounds = 20;

/**
 * @param call asks the saga's function for the results of steps, given as JSON, in their order; the statement is written
 * by the caller, so that each function has a prepared one
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
      throw new Error(`step ${step.key} found no turn in ${maxRounds} rounds`);
    },
  };
}
