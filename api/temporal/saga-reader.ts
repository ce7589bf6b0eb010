/**
 * What can be learnt from Temporal about sagas of any kind. Every call is raced with a timer of our own, since the client's
 * deadlines do not hold while the server is away; a call that lost the race is also aborted, so that it does not happen long
 * after the answer.
 */
import { setMaxListeners } from 'node:events';
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { grpcInvalidArgument, grpcNotFound, isOutage } from './grpc-errors.js';

/** `unknown`: Temporal could not be asked. */
export type Presence = 'running' | 'ended' | 'absent' | 'unknown';

/** Time for a call that has nothing to wait for. */
export const plainCallMs = 3000;
/** Time to find out whether a saga exists, once the client's patience is over. */
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
    // Every caller who waits listens for the stop: there may be any number of them, and each stops listening.
    setMaxListeners(0, this.#stopped.signal);
  }

  /** What an update answered that was asked for before; null where the saga knows nothing of it, or not within `waitMs`. */
  async pastAnswer<A>(workflowId: string, updateId: string, waitMs = plainCallMs): Promise<A | null> {
    const handle = this.client.workflow.getHandle(workflowId).getUpdateHandle<A>(updateId);
    const answer = await this.call(waitMs, () => handle.result()).catch(() => timedOut);
    return answer === timedOut ? null : (answer as A);
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

  /** What a saga was started with: `absent` where there is none, `unknown` where Temporal could not be asked. */
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

  /** Aborted when nobody is to wait any more. */
  protected get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Answers at once, with how things stand, all who wait for a decision: the process is about to end. */
  stopWaiting(): void {
    this.#stopped.abort();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** A call that has nothing to wait for. */
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
    // A call that lost the race may fail unheard.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      sooner?.removeEventListener('abort', stop);
    }
  }
}
