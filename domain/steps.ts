/**
 * What the steps of every saga have in common. A step is one transaction in Postgres over the saga's own row, its stock and
 * what must follow; its key makes it happen once.
 */
import type { Refusal } from './errors.js';

/** What every step carries, besides the id of what it is about. */
export interface StepBase {
  /** The same key again gives the first answer and does nothing. */
  readonly key: string;
  readonly actor: string;
  readonly traceId: string;
}

export interface Transition<Status extends string> {
  /** Null where the step made the row. */
  readonly from: Status | null;
  readonly to: Status;
}

/** The step was not done; `state` is null where there is nothing that it could be about. */
export interface RefusedStep<State extends { readonly status: string }> {
  readonly outcome: 'refused';
  readonly state: State | null;
  readonly transitions: readonly Transition<State['status']>[];
  readonly refusal: Refusal;
}

export interface DoneStep<State extends { readonly status: string }> {
  readonly outcome: 'done';
  readonly state: State;
  readonly transitions: readonly Transition<State['status']>[];
}

/** How a step went, with the state after it. `Facts` is what some steps tell besides. */
export type StepResult<State extends { readonly status: string }, Facts = unknown> =
  | (DoneStep<State> & Facts)
  | RefusedStep<State>;
