/**
 * The contract that all sagas share with their callers: task queues, callers, answers, retry settings, review decisions,
 * search attributes. Types and constants only, so that the API can import it without the workflows.
 */
import type { Refusal } from '../../domain/errors.js';

/** Workflows and their database steps. */
export const taskQueue = 'holdfast';
/** Retries of gateway calls. */
export const gatewayTaskQueue = 'holdfast-gateways';

/** Who sent a command, and the trace that it belongs to. */
export interface Caller {
  /** `api_key:<id>`, `signal`, `timer`. */
  readonly actor: string;
  /** W3C traceparent. */
  readonly traceparent: string;
  readonly requestId: string | null;
}

/** A saga's answer. The caller reads everything but the status from Postgres. */
export type SagaAnswer<Status extends string> =
  | { readonly kind: 'done'; readonly status: Status }
  | { readonly kind: 'refused'; readonly status: Status; readonly refusal: Refusal };

/** The cancel command, the same for every saga that accepts it. */
export interface CancelRequest {
  readonly reason: string | null;
  readonly caller: Caller;
}

/** Settings of a workflow's retries, fixed when it starts so that a replay uses the same ones. */
export interface RetrySettings {
  readonly retryBaseScale: number;
  readonly gatewayTimeoutSeconds: number;
}

/** A person's decision on a review: retry now, or consider it done by hand. */
export interface ReviewDecision {
  readonly reviewId: string;
  readonly resolution: 'retry' | 'done';
}
export const reviewSignal = 'reviewDecision';

/** Signal of a workflow that waits for a card processor: the processor has changed something, so ask at once. */
export const processorSignal = 'processorChanged';

/** Typed search attributes, registered with the server. */
export const searchAttributes = {
  OrderStatus: 'Keyword',
  CustomerId: 'Keyword',
  Sku: 'KeywordList',
  Total: 'Int',
} as const;
