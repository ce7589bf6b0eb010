/**
 * A saga's view of its subject, a row in Postgres that only its steps change: the state after the last step, and the keys of
 * the next steps.
 */
import { setCurrentDetails } from '@temporalio/workflow';
import type { Refusal } from '../../domain/errors.js';
import type { StepBase, StepResult } from '../../domain/steps.js';
import type { Caller, SagaAnswer } from './contract.js';
import { givenUp, unlessGivenUp } from './stuck-steps.js';

interface WithStatus {
  readonly status: string;
}

/** The result of a step of any saga. */
export type AnyStepResult<State> = StepResult<State, unknown>;

/** @template Subject the id of the subject, under its name: `{ orderId }` */
export abstract class SagaRecord<Subject, Standing extends WithStatus, State extends Standing> {
  protected state: State | null = null;
  /** Why the saga ends; null until that is known. */
  protected ending: string | null = null;

  /** @param inbox judges commands by the state after each step */
  protected constructor(
    private readonly subject: Subject,
    private readonly inbox: { standing: Standing },
  ) {}

  /** The key of a step. */
  protected abstract keyOf(step: string, cause: string): string;

  /** The subject's state and why it ended, for operators. */
  protected abstract details(): string;

  get status(): Standing['status'] {
    return this.inbox.standing.status;
  }

  /** Whether the subject has a row. A refused one has none. */
  get exists(): boolean {
    return this.state !== null;
  }

  /** The fields of every step. @param cause what caused the step: see the keys of each saga's steps in domain/ */
  step(name: string, cause: string, caller: Caller): StepBase & Subject {
    const [, traceId = ''] = caller.traceparent.split('-');
    const { actor, requestId } = caller;
    const request = requestId === null ? {} : { requestId };
    return { ...this.subject, key: this.keyOf(name, cause), actor, traceId, ...request };
  }

  /** Does a step and adopts the state after it. A step that was given up counts as refused. */
  async apply<Step, Result extends AnyStepResult<State>>(activity: (step: Step) => Promise<Result>, step: Step) {
    const refused = () => ({ outcome: 'refused', state: null, transitions: [], refusal: givenUp() }) as const;
    return this.adopt(await unlessGivenUp(activity(step), refused));
  }

  /** Adopts the state after a step. */
  adopt<Result extends AnyStepResult<State>>(result: Result): Result {
    if (result.state !== null) {
      this.state = result.state;
      this.inbox.standing = result.state;
    }
    return result;
  }

  /** Sets why the saga ends, for operators. */
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

  /** Shows the subject's state in the Web UI. */
  publish(): void {
    setCurrentDetails(this.details());
  }
}
