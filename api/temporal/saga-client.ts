/** How the API makes sagas of any kind do something: starts, updates and signals. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WithStartWorkflowOperation, WorkflowNotFoundError, type WorkflowStartOptions } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Refusal } from '../../domain/errors.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { isOutage } from './grpc-errors.js';
import { plainCallMs, SagaReader, type TemporalServer, timedOut } from './saga-reader.js';
import { Turns } from './turns.js';
import { readUpdateFailure } from './undecided.js';

/**
 * - `answered`: the saga decided in time.
 * - `refused`: the saga would not even begin with it.
 * - `late`: it exists and goes on, but has not decided in time.
 * - `ended`: it is over (or past retention): Postgres has the answer, if there is one.
 * - `unavailable`: Temporal could not be asked; whether anything happened is unknown.
 */
export type Outcome<A> =
  | { readonly kind: 'answered'; readonly answer: A }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'late' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unavailable' };

/** `full`: it runs, and the server takes no more updates for it. A signal still reaches it. */
export type UpdateOutcome<A> = Outcome<A> | { readonly kind: 'full' };

export interface Asking {
  readonly updateId: string;
  /** 0: start it and do not wait. */
  readonly waitMs: number;
}

/**
 * A worker must accept an update before it is durable. One that no worker has seen when the client's wait is over is
 * held up from here, so that it outlives a restart of the server.
 */
const maxPendingUpdateMs = 600_000;
/**
 * Updates of one kind that a process has in flight at one saga. The server takes 10 in all from all processes, and an 11th
 * makes it drop those that no worker has seen yet, so that a crowd would keep all of its members from being heard. Each
 * kind has its own turns: a cancel does not wait for confirmations that wait for a bank.
 */
const updatesAtATime = 2;

/** One call for an update, until it is answered or given up. */
type Ask<A> = (giveUp: AbortSignal) => Promise<A>;

type SagaStart = Pick<WorkflowStartOptions, 'workflowId' | 'memo' | 'typedSearchAttributes'> & { args: [object] };

export interface SagaServer extends TemporalServer {
  readonly workflowTaskTimeoutSeconds: number;
}

export class SagaClient extends SagaReader {
  readonly #turns = new Turns(updatesAtATime);
  readonly #workflowTaskTimeout: number;

  constructor(server: SagaServer) {
    super(server);
    this.#workflowTaskTimeout = server.workflowTaskTimeoutSeconds * 1000;
  }

  /** Starts a saga, or finds it started, and waits for what its update answers. */
  protected async start<A>(
    workflowType: string,
    update: string,
    asking: Asking,
    options: SagaStart,
  ): Promise<Outcome<A>> {
    const start = { ...this.#startOptions(options), workflowIdReusePolicy: 'REJECT_DUPLICATE' } as const;
    if (asking.waitMs === 0) {
      const started = await this.#decide(options.workflowId, plainCallMs, () =>
        this.client.workflow.start(workflowType, start).then(() => null),
      );
      return started.kind === 'answered' ? { kind: 'late' } : lateIfFull(started);
    }
    const ask = () =>
      this.client.workflow.executeUpdateWithStart<Workflow, A, []>(update, {
        args: [],
        updateId: asking.updateId,
        startWorkflowOperation: new WithStartWorkflowOperation(workflowType, start),
      });
    return lateIfFull(await this.#decide(options.workflowId, asking.waitMs, ask));
  }

  /**
   * Asks a saga that may run again and again for something: starts it where it does not run. It is asked even where it
   * runs already, so the wait is at least 1 ms.
   */
  protected async startAgain<A>(
    workflowType: string,
    update: string,
    request: object,
    asking: Asking,
    options: SagaStart,
  ): Promise<Outcome<A>> {
    const start = { ...this.#startOptions(options), workflowIdReusePolicy: 'ALLOW_DUPLICATE' } as const;
    const ask = (giveUp: AbortSignal) =>
      this.#turns.take(`${options.workflowId} ${update}`, giveUp, () =>
        this.client.workflow.executeUpdateWithStart<Workflow, A, [object]>(update, {
          args: [request],
          updateId: asking.updateId,
          startWorkflowOperation: new WithStartWorkflowOperation(workflowType, start),
        }),
      );
    return lateIfFull(await this.#decide(options.workflowId, Math.max(asking.waitMs, 1), ask, maxPendingUpdateMs));
  }

  /** Asks a running saga for something. */
  protected update<A>(workflowId: string, update: string, request: object, asking: Asking): Promise<UpdateOutcome<A>> {
    const handle = this.client.workflow.getHandle(workflowId);
    const ask = (giveUp: AbortSignal) =>
      this.#turns.take(`${workflowId} ${update}`, giveUp, () =>
        handle.executeUpdate<A, [object]>(update, { args: [request], updateId: asking.updateId }),
      );
    return this.#decide(workflowId, Math.max(asking.waitMs, 1), ask, maxPendingUpdateMs);
  }

  /** Sends a signal, for which nobody waits. */
  protected async signal(workflowId: string, name: string, payload: object): Promise<'told' | 'ended' | 'unavailable'> {
    try {
      const told = await this.call(plainCallMs, () =>
        this.client.workflow.getHandle(workflowId).signal<[object]>(name, payload),
      );
      return told === timedOut ? 'unavailable' : 'told';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'ended';
      if (isOutage(error)) return 'unavailable';
      throw error;
    }
  }

  #startOptions(options: SagaStart) {
    return {
      ...options,
      taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowTaskTimeout: this.#workflowTaskTimeout,
    } as const;
  }

  /**
   * Waits for the saga's word; when the time is over, finds out whether there is a saga at all.
   * @param goOnMs how long the asking continues after the client was answered that the saga continues
   */
  async #decide<A>(workflowId: string, waitMs: number, ask: Ask<A>, goOnMs = 0): Promise<UpdateOutcome<A>> {
    const giveUp = new AbortController();
    const asking = () => this.#askUntilDecided(workflowId, ask, giveUp.signal);
    try {
      const outcome = await this.race(waitMs, asking, giveUp, this.stopped);
      if (outcome !== timedOut) return outcome;
    } catch (error) {
      if (!isOutage(error)) throw error;
    }
    const presence = await this.presence(workflowId).catch((error: unknown) => {
      giveUp.abort();
      throw error;
    });
    if (presence !== 'running' || goOnMs === 0) giveUp.abort();
    else setTimeout(() => giveUp.abort(), goOnMs).unref();
    if (presence === 'running') return { kind: 'late' };
    return { kind: presence === 'ended' ? 'ended' : 'unavailable' };
  }

  /** Asks for an update, under one id, until the saga has decided it or has ended. Throws what is a bug, and once given up. */
  async #askUntilDecided<A>(workflowId: string, ask: Ask<A>, giveUp: AbortSignal): Promise<UpdateOutcome<A>> {
    for (let waitMs = firstAskAgainMs; ; waitMs = Math.min(longestAskAgainMs, waitMs * 1.5)) {
      try {
        return { kind: 'answered', answer: await ask(giveUp) };
      } catch (error) {
        const failure = readUpdateFailure(error);
        if (failure.kind === 'refused') return failure;
        if (failure.kind === 'full') return { kind: 'full' };
        if (failure.kind === 'duplicate') return { kind: 'ended' };
        if (failure.kind === 'bug' || giveUp.aborted) throw error;
        // The server says the same of a saga that has ended and of an update that it has lost.
        if (failure.kind === 'gone') {
          const presence = await this.presence(workflowId);
          if (presence === 'ended' || presence === 'absent') return { kind: 'ended' };
        }
      }
      await sleep(Math.round(waitMs * (0.75 + Math.random() / 2)), undefined, { signal: giveUp });
    }
  }
}

/** Before an update is asked for again; each wait is half as long again as the one before. */
const firstAskAgainMs = 25;
const longestAskAgainMs = 1000;

/** A saga whose first decision is asked for by many has made it long ago: Postgres has it. */
function lateIfFull<A>(outcome: UpdateOutcome<A>): Outcome<A> {
  return outcome.kind === 'full' ? { kind: 'late' } : outcome;
}
