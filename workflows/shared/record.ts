/**
 * What a saga knows of its subject, which is a row in Postgres that only its steps change: the state after the last step,
 * and the keys of the steps to come.
 */
import { setCurrentDetails } from '@temporalio/workflow';
import type { Refusal } from '../../domain/errors.js';
import type { StepBase, StepResult } from '../../domain/steps.js';
import type { Caller, SagaAnswer } from './contract.js';
import { givenUp, unlessGivenUp } from './stuck-steps.js';

interface WithStatus {
  readonly status: string;
}

/** The answer of any step, as far as every saga reads it. */
export type AnyStepResult<State> = StepResult<State, unknown>;

/** @template Subject the id of the subject, under its name: `{ orderId }` */
export abstract class SagaRecord<Subject, Standing extends WithStatus, State extends Standing> {
  protected state: State | null = null;
  /** How the saga has come to its end, as far as that is known. */
  protected ending: string | null = null;

  /** @param inbox judges commands by the state after each step */
  protected constructor(
    private readonly subject: Subject,
    private readonly inbox: { standing: Standing },
  ) {}

  /** The key of a step. */
  protected abstract keyOf(step: string, cause: string): string;

  /** How the subject stands, or how it has ended, for the operator who looks at its workflow. */
  protected abstract details(): string;

  get status(): Standing['status'] {
    return this.inbox.standing.status;
  }

  /** Whether the subject exists: one that could not be opened has left nothing. */
  get exists(): boolean {
    return this.state !== null;
  }

  /** What every step carries. @param cause what the step follows from: see the key of each saga's steps in domain/ */
  step(name: string, cause: string, caller: Caller): StepBase & Subject {
    const [, traceId = ''] = caller.traceparent.split('-');
    return { ...this.subject, key: this.keyOf(name, cause), actor: caller.actor, traceId };
  }

  /** Does a step and takes up the state after it. */
  async apply<Step, Result extends AnyStepResult<State>>(activity: (step: Step) => Promise<Result>, step: Step) {
    const refused = () => ({ outcome: 'refused', state: null, transitions: [], refusal: givenUp() }) as const;
    return this.takeUp(await unlessGivenUp(activity(step), refused));
  }

  /** Takes up the state after a step. */
  takeUp<Result extends AnyStepResult<State>>(result: Result): Result {
    if (result.state !== null) {
      this.state = result.state;
      this.inbox.standing = result.state;
    }
    return result;
  }

  /** Says how the saga has come to its end. */
  endsBy(how: string): void {
    this.ending = how;
  }

  answer(): SagaAnswer<Standing['status']> {
    return { kind: 'done', status: this.status };
  }

  refuse(why: Refusal): SagaAnswer<Standing['status']> {
    const refusal = this.exists ? { ...why, extensions: { ...why.extensions, ...this.subject } } : why;
    return { kind: 'refused', status: this.status, refusal };
  }

  /** Shows in the Web UI how the subject stands. */
  publish(): void {
    setCurrentDetails(this.details());
  }
}
