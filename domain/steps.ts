/** What a step of a saga carries and answers: each one is a transaction in Postgres (db/postgres/step-store.ts). */
import type { Refusal } from './errors.js';

/**
 * `done`, or `refused`: then nothing was done but what the transitions say. `state` is null where there is no row.
 * @typeParam More what a step that is done may answer besides
 */
export type StepResult<State, Transition, More = object> =
  | ({ readonly outcome: 'done'; readonly state: State; readonly transitions: readonly Transition[] } & More)
  | {
      readonly outcome: 'refused';
      readonly state: State | null;
      readonly transitions: readonly Transition[];
      readonly refusal: Refusal;
    };

/** What every step carries, besides the id of what it is about. */
export interface StepBase {
  /** The same key again gives the first answer and does nothing. */
  readonly key: string;
  readonly actor: string;
  readonly traceId: string;
}
