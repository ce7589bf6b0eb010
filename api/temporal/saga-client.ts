/** Starts sagas of any kind, and sends them updates and signals. */
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
 * - `refused`: the saga rejected the update.
 * - `late`: the saga runs, but has not decided in time.
 * - `ended`: the saga has ended (or is past retention): Postgres has the answer, if there is one.
 * - `unavailable`: Temporal could not be reached; whether anything happened is unknown.
 */
export type Outcome<A> =
  | { readonly kind: 'answered'; readonly answer: A }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'late' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unavailable' };

/** `full`: the saga runs, but the server takes no more updates for it. A signal still reaches it. */
export type UpdateOutcome<A> = Outcome<A> | { readonly kind: 'full' };

export interface UpdateCall {
  readonly updateId: string;
  /** 0: start the saga and do not wait. */
  readonly waitMs: number;
}

/**
 * An update is durable only once a worker has accepted it. If none has when the client's wait is over, this process keeps
 * sending the update, so that it survives a restart of the server.
 */
const maxPendingUpdateMs = 600_000;
/**
 * How many updates of one kind a process has in flight at one saga. The server accepts 10 in all; an 11th makes it drop
 * those that no worker has seen yet, so many callers at once would starve each other. Each kind has its own turns: a
 * cancel does not wait behind confirmations that wait for a bank.
 */
const maxUpdatesInFlight = 2;

/** Sends an update once; resolves with its answer. */
type SendUpdate<A> = (giveUp: AbortSignal) => Promise<A>;

type SagaStart = Pick<WorkflowStartOptions, 'workflowId' | 'memo' | 'typedSearchAttributes'> & { args: [object] };

export interface SagaServer extends TemporalServer {
  readonly workflowTaskTimeoutSeconds: number;
}

export class SagaClient extends SagaReader {
  readonly #turns = new Turns(maxUpdatesInFlight);
  readonly #workflowTaskTimeout: number;

  constructor(server: SagaServer) {
    super(server);
    this.#workflowTaskTimeout = server.workflowTaskTimeoutSeconds * 1000;
  }

  /** Starts a saga, or finds it started, and waits for the answer to its update. */
  protected async start<A>(
    workflowType: string,
    update: string,
    updateCall: UpdateCall,
    options: SagaStart,
  ): Promise<Outcome<A>> {
    const start = { ...this.#startOptions(options), workflowIdReusePolicy: 'REJECT_DUPLICATE' } as const;
    if (updateCall.waitMs === 0) {
      const started = await this.#decide(options.workflowId, plainCallMs, () =>
        this.client.workflow.start(workflowType, start).then(() => null),
      );
      return started.kind === 'answered' ? { kind: 'late' } : lateIfFull(started);
    }
    const send = () =>
      this.client.workflow.executeUpdateWithStart<Workflow, A, []>(update, {
        args: [],
        updateId: updateCall.updateId,
        startWorkflowOperation: new WithStartWorkflowOperation(workflowType, start),
      });
    return lateIfFull(await this.#decide(options.workflowId, updateCall.waitMs, send));
  }

  /**
   * Sends an update to a saga that may run many times, and starts it if it is not running. The update is sent even if
   * the saga is running, so the wait is at least 1 ms.
   */
  protected async startAgain<A>(
    workflowType: string,
    update: string,
    request: object,
    updateCall: UpdateCall,
    options: SagaStart,
  ): Promise<Outcome<A>> {
    const start = { ...this.#startOptions(options), workflowIdReusePolicy: 'ALLOW_DUPLICATE' } as const;
    const send = (giveUp: AbortSignal) =>
      this.#turns.take(`${options.workflowId} ${update}`, giveUp, () =>
        this.client.workflow.executeUpdateWithStart<Workflow, A, [object]>(update, {
          args: [request],
          updateId: updateCall.updateId,
          startWorkflowOperation: new WithStartWorkflowOperation(workflowType, start),
        }),
      );
    return lateIfFull(await this.#decide(options.workflowId, Math.max(updateCall.waitMs, 1), send, maxPendingUpdateMs));
  }

  /** Sends an update to a running saga. */
  protected update<A>(
    workflowId: string,
    update: string,
    request: object,
    updateCall: UpdateCall,
  ): Promise<UpdateOutcome<A>> {
    const handle = this.client.workflow.getHandle(workflowId);
    const send = (giveUp: AbortSignal) =>
      this.#turns.take(`${workflowId} ${update}`, giveUp, () =>
        handle.executeUpdate<A, [object]>(update, { args: [request], updateId: updateCall.updateId }),
      );
    return this.#decide(workflowId, Math.max(updateCall.waitMs, 1), send, maxPendingUpdateMs);
  }

  /** Sends a signal. Nothing answers it. */
  protected async signal(
    workflowId: string,
    name: string,
    payload: object,
  ): Promise<'delivered' | 'ended' | 'unavailable'> {
    try {
      const result = await this.call(plainCallMs, () =>
        this.client.workflow.getHandle(workflowId).signal<[object]>(name, payload),
      );
      return result === timedOut ? 'unavailable' : 'delivered';
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
   * Waits for the saga's decision. If the time runs out, finds out whether the saga exists at all.
   * @param keepSendingMs how long to keep sending the update after the client got `late`
   */
  async #decide<A>(
    workflowId: string,
    waitMs: number,
    send: SendUpdate<A>,
    keepSendingMs = 0,
  ): Promise<UpdateOutcome<A>> {
    const giveUp = new AbortController();
    const decided = () => this.#sendUntilDecided(workflowId, send, giveUp.signal);
    try {
      const outcome = await this.race(waitMs, decided, giveUp, this.stopped);
      if (outcome !== timedOut) return outcome;
    } catch (error) {
      if (!isOutage(error)) throw error;
    }
    const presence = await this.presence(workflowId).catch((error: unknown) => {
      giveUp.abort();
      throw error;
    });
    if (presence !== 'running' || keepSendingMs === 0) giveUp.abort();
    else setTimeout(() => giveUp.abort(), keepSendingMs).unref();
    if (presence === 'running') return { kind: 'late' };
    return { kind: presence === 'ended' ? 'ended' : 'unavailable' };
  }

  /** Sends an update, under one id, until the saga has decided it or has ended. Throws if a handler has a bug or on abort. */
  async #sendUntilDecided<A>(workflowId: string, send: SendUpdate<A>, giveUp: AbortSignal): Promise<UpdateOutcome<A>> {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(longestRetryMs, waitMs * 1.5)) {
      try {
        return { kind: 'answered', answer: await send(giveUp) };
      } catch (error) {
        const failure = readUpdateFailure(error);
        if (failure.kind === 'refused') return failure;
        if (failure.kind === 'full') return { kind: 'full' };
        if (failure.kind === 'duplicate') return { kind: 'ended' };
        if (failure.kind === 'bug' || giveUp.aborted) throw error;
        // The server answers the same for a saga that has ended and for an update that it has lost.
        if (failure.kind === 'gone') {
          const presence = await this.presence(workflowId);
          if (presence === 'ended' || presence === 'absent') return { kind: 'ended' };
        }
      }
      await sleep(Math.round(waitMs * (0.75 + Math.random() / 2)), undefined, { signal: giveUp });
    }
  }
}

/** Backoff between attempts to send an update; each wait is 1.5 times the one before. */
const firstRetryMs = 25;
const longestRetryMs = 1000;

/** A saga with that many updates made its first decision long ago: Postgres has it. */
function lateIfFull<A>(outcome: UpdateOutcome<A>): Outcome<A> {
  return outcome.kind === 'full' ? { kind: 'late' } : outcome;
}
