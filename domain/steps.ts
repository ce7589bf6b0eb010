/** The steps of sagas and their results. Each step is one transaction in Postgres (db/postgres/step-store.ts). */
import type { Refusal } from './errors.js';

/**
 * The result of a step. A refused step has changed nothing but its transitions. `state` is null where there is no row.
 * @typeParam More further members of a `done` result
 */
export type StepResult<State, Transition, More = object> =
  | ({ readonly outcome: 'done'; readonly state: State; readonly transitions: readonly Transition[] } & More)
  | {
      readonly outcome: 'refused';
      readonly state: State | null;
      readonly transitions: readonly Transition[];
      readonly refusal: Refusal;
    };

/** Who asked for a change, and by which request; null: by none of the API. */
export interface AskedBy {
  readonly actor: string;
  readonly requestId: string | null;
}

/** The fields of every step, besides the id of its subject. */
export interface StepBase {
  /** A step with a known key does nothing and returns the first result. */
  readonly key: string;
  readonly actor: string;
  readonly traceId: string;
  /** The request that asked for the step; absent where none did, and in recorded histories. */
  readonly requestId?: string;
}
