/**
 * What every saga shares with the outside: task queues, who asks, what is answered, retry settings, reviews, search
 * attributes. Types and constants only, so that the API can import it without the workflows.
 */
import type { Refusal } from '../../domain/errors.js';

/** Workflows and their database steps. */
export const taskQueue = 'holdfast';
/** Calls to the outside world that were left undecided by their first try. */
export const gatewayTaskQueue = 'holdfast-gateways';

/** A workflow task that a killed worker held is handed out again after this (the default is 10 s). */
export const workflowTaskTimeoutMs = 5000;

/** Who asked, and the W3C trace that the asking belongs to. */
export interface Caller {
  /** `api_key:<id>`, `signal`, `timer`. */
  readonly actor: string;
  /** W3C traceparent. */
  readonly traceparent: string;
  readonly requestId: string | null;
}

/** What a saga answers: the caller then reads Postgres. A refusal has changed nothing but what it says. */
export type SagaAnswer<Status extends string> =
  | { readonly kind: 'done'; readonly status: Status }
  | { readonly kind: 'refused'; readonly status: Status; readonly refusal: Refusal };

/** The command to cancel, of every saga that takes it. */
export interface CancelRequest {
  readonly reason: string | null;
  readonly caller: Caller;
}

/** Settings that shape a workflow; fixed when it starts so that replay sees the same. */
export interface RetrySettings {
  readonly retryBaseScale: number;
  readonly gatewayTimeoutSeconds: number;
}

/** A person's decision on a review: try again now, or take it as done by hand. */
export interface ReviewDecision {
  readonly reviewId: string;
  readonly resolution: 'retry' | 'done';
}
export const reviewSignal = 'reviewDecision';

/** Typed search attributes, registered with the server. */
export const searchAttributes = {
  OrderStatus: 'Keyword',
  CustomerId: 'Keyword',
  Sku: 'KeywordList',
  Total: 'Int',
} as const;
