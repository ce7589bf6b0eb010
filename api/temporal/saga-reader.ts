/**
 * Reads from Temporal how sagas of any kind stand. Every call races a timer of our own, since the client's deadlines do not
 * hold while the server is down. A call that loses the race is aborted, so that it does not take effect long after the
 * answer.
 */
import { setMaxListeners } from 'node:events';
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { grpcInvalidArgument, grpcNotFound, isOutage } from './grpc-errors.js';

/** `unknown`: Temporal could not be reached. */
export type Presence = 'running' | 'ended' | 'absent' | 'unknown';

/** Timeout of a call that waits for no decision. */
export const plainCallMs = 3000;
/** Timeout for finding out whether a saga exists, once the client's wait is over. */
const describeMs = 1500;
export const timedOut = Symbol('timed out');

export interface TemporalServer {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
}

export class SagaReader {
  protected readonly client: Client;
  readonly #connection: Connection;
  readonly #stopped = new AbortController();

  constructor({ address, namespace }: TemporalServer) {
    this.#connection = Connection.lazy({
      address,
      channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 },
    });
    this.client = new Client({ connection: this.#connection, namespace });
    // Each waiting caller listens for the stop, and removes its listener: any number at once is no leak.
    setMaxListeners(0, this.#stopped.signal);
  }

  /** The answer to an earlier update; null if the saga does not know it, or does not answer within `waitMs`. */
  async pastAnswer<A>(workflowId: string, updateId: string, waitMs = plainCallMs): Promise<A | null> {
    const handle = this.client.workflow.getHandle(workflowId).getUpdateHandle<A>(updateId);
    const answer = await this.call(waitMs, () => handle.result()).catch(() => timedOut);
    return answer === timedOut ? null : (answer as A);
  }

  /** What a saga that has ended returned; null if it failed, or does not answer. */
  async result<A>(workflowId: string): Promise<A | null> {
    const result = await this.call(plainCallMs, () => this.client.workflow.getHandle(workflowId).result()).catch(
      () => timedOut,
    );
    return result === timedOut ? null : (result as A);
  }

  /** Whether a saga exists and runs. */
  async presence(workflowId: string): Promise<Presence> {
    try {
      const found = await this.call(describeMs, () => this.client.workflow.getHandle(workflowId).describe());
      if (found === timedOut) return 'unknown';
      return found.status.name === 'RUNNING' ? 'running' : 'ended';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'absent';
      if (isOutage(error)) return 'unknown';
      throw error;
    }
  }

  /** The input of a saga. `absent`: no such saga; `unknown`: Temporal could not be reached. */
  async startInput<I>(workflowId: string): Promise<{ kind: 'input'; input: I } | { kind: 'absent' | 'unknown' }> {
    try {
      const history = await this.call(plainCallMs, () =>
        this.client.workflowService.getWorkflowExecutionHistory({
          namespace: this.client.options.namespace,
          execution: { workflowId },
          maximumPageSize: 1,
        }),
      );
      if (history === timedOut) return { kind: 'unknown' };
      const payload = history.history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
      if (!payload) return { kind: 'absent' };
      const { payloadConverter, payloadCodecs } = this.client.options.loadedDataConverter;
      let [decoded] = [payload];
      for (const codec of [...payloadCodecs].reverse()) [decoded = payload] = await codec.decode([decoded]);
      return { kind: 'input', input: payloadConverter.fromPayload<I>(decoded) };
    } catch (error) {
      if (isGrpcServiceError(error) && (error.code === grpcNotFound || error.code === grpcInvalidArgument))
        return { kind: 'absent' };
      if (isOutage(error)) return { kind: 'unknown' };
      throw error;
    }
  }

  /** Whether the server answers for our namespace. */
  async isReady(): Promise<boolean> {
    const { namespace } = this.client.options;
    const answered = await this.call(describeMs, () =>
      this.client.workflowService.describeNamespace({ namespace }),
    ).catch(() => timedOut);
    return answered !== timedOut;
  }

  /** Aborted when the process is about to end. */
  protected get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Answers all callers who wait for a decision at once, with the resource as it stands: the process is about to end. */
  stopWaiting(): void {
    this.#stopped.abort();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** A call with a timeout, for which no client waits. */
  protected async call<T>(ms: number, call: () => Promise<T>): Promise<T | typeof timedOut> {
    const giveUp = new AbortController();
    const result = await this.race(ms, call, giveUp);
    if (result === timedOut) giveUp.abort();
    return result;
  }

  protected async race<T>(
    ms: number,
    call: () => Promise<T>,
    giveUp: AbortController,
    sooner?: AbortSignal,
  ): Promise<T | typeof timedOut> {
    let timer: NodeJS.Timeout | undefined;
    let stop = () => {};
    const late = new Promise<typeof timedOut>((resolve) => {
      stop = () => resolve(timedOut);
      timer = setTimeout(stop, sooner?.aborted ? 0 : ms);
      sooner?.addEventListener('abort', stop);
    });
    const answer = this.#connection.withAbortSignal(giveUp.signal, call);
    // Nobody awaits a call that lost the race, so its failure must not be an unhandled rejection.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      sooner?.removeEventListener('abort', stop);
    }
  }
}
