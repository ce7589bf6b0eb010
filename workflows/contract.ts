/**
 * What the outside needs to know to start the workflows and talk to them: names, ids, inputs, updates and signals. Types
 * and constants only, so that the API can import it without the workflows.
 */
import type { Refusal } from '../domain/errors.js';
import type { OrderStatus } from '../domain/order-states.js';
import type { PaymentChoice } from '../domain/order-steps.js';
import type { PaymentStatus } from '../domain/payment-states.js';
import type { RunningReplenishment } from '../domain/replenishment.js';
import type { TransferMode, TransferStatus } from '../domain/transfer-states.js';

/** Workflows and their database steps. */
export const taskQueue = 'holdfast';
/** Calls to the outside world that were left undecided by their first try. */
export const gatewayTaskQueue = 'holdfast-gateways';

export const orderWorkflowId = (orderId: string) => `order/${orderId}`;
export const paymentWorkflowId = (paymentId: string) => `payment/${paymentId}`;

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

/** Settings that shape a workflow; fixed when it starts so that replay sees the same. */
export interface Pace {
  readonly retryBaseScale: number;
  readonly gatewayTimeoutSeconds: number;
}

export type { PaymentChoice } from '../domain/order-steps.js';

// ── order/<id> ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface OrderLineInput {
  readonly sku: string;
  readonly quantity: number;
  readonly location: string;
  /** `rsv_…`: fixed by the caller. */
  readonly reservationId: string;
}

export interface OrderInput {
  readonly orderId: string;
  readonly customer: { readonly id?: string; readonly name?: string; readonly email?: string } | null;
  readonly lines: readonly OrderLineInput[];
  readonly payment: PaymentChoice | null;
  /** Go on to payment as soon as everything is reserved. */
  readonly confirm: boolean;
  readonly holdSeconds: number;
  readonly draftSeconds: number;
  /** First wait before a supplier's answer is asked for; later waits double. */
  readonly supplierRecheckSeconds: number;
  /** 'delayed' answers borne before the order fails. */
  readonly supplierMaxDelayed: number;
  readonly pace: Pace;
  readonly caller: Caller;
  /** RFC 3339; when the API took the order in. */
  readonly requestedAt: string;
  /**
   * Whether its purchase is one activity (activities/checkout.ts). An order that was started before there was one has this
   * not, and goes on step by step, as its history says.
   */
  readonly inOneGo?: true;
  /** The run that was lost, where this one resumes its order. */
  readonly resumed?: string;
}

/** What an update answers: the order is then read from Postgres. A refusal has changed nothing but what it says. */
export type OrderAnswer =
  | { readonly kind: 'done'; readonly status: OrderStatus }
  | { readonly kind: 'refused'; readonly status: OrderStatus; readonly refusal: Refusal };

/**
 * Updates of `order/<id>`. `opened` asks for nothing: it answers when the first decision is durable (with `confirm`, when
 * the payment is decided). It goes with the start.
 */
export const orderUpdates = { opened: 'opened', addLine: 'addLine', confirm: 'confirm', cancel: 'cancel' } as const;
export interface AddLineRequest {
  readonly line: OrderLineInput;
  readonly caller: Caller;
}
export interface ConfirmRequest {
  readonly payment: PaymentChoice | null;
  readonly caller: Caller;
}
export interface CancelRequest {
  readonly reason: string | null;
  readonly caller: Caller;
}

/** Signals of `order/<id>`, for people and other systems: `confirm` with `{ payment? }` or nothing, `cancel` with `{ reason? }`. */
export const orderSignals = { confirm: 'confirm', cancel: 'cancel' } as const;

// ── transfer/<id> ───────────────────────────────────────────────────────────────────────────────────────────────────

export const transferWorkflowId = (transferId: string) => `transfer/${transferId}`;

export interface TransferInput {
  readonly transferId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly from: string;
  readonly to: string;
  readonly mode: TransferMode;
  readonly reservationId: string;
  readonly pace: Pace;
  readonly caller: Caller;
  /** RFC 3339; when the API took the transfer in. */
  readonly requestedAt: string;
  /** The run that was lost, where this one resumes its transfer. */
  readonly resumed?: string;
}

export type TransferAnswer =
  | { readonly kind: 'done'; readonly status: TransferStatus }
  | { readonly kind: 'refused'; readonly status: TransferStatus; readonly refusal: Refusal };

/** `moved` goes with the start and answers when the goods have arrived, or are on their way. */
export const transferUpdates = { moved: 'moved', receive: 'receive', cancel: 'cancel' } as const;
export interface ReceiveRequest {
  /** Null: all that was sent. Less is booked as lost. */
  readonly quantity: number | null;
  readonly reason: string | null;
  readonly caller: Caller;
}

/** Signals of `transfer/<id>`, for people and other systems: `receive` with `{ quantity?, reason? }` or nothing, `cancel` with `{ reason? }`. */
export const transferSignals = { receive: 'receive', cancel: 'cancel' } as const;

// ── replenishment/<sku>/<location> ──────────────────────────────────────────────────────────────────────────────────

export const replenishmentWorkflowId = (sku: string, location: string) => `replenishment/${sku}/${location}`;

export interface ReplenishmentInput {
  /** `rpl_…`, fixed by whoever starts it. */
  readonly replenishmentId: string;
  readonly sku: string;
  readonly location: string;
  /** `level`: only if on hand plus on order is at or below the reorder point. `request`: whatever the reorder point. */
  readonly cause: 'level' | 'request';
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
  readonly pace: Pace;
  readonly caller: Caller;
  /** Set where a run goes on with a delivery that another began to follow. */
  readonly watch?: DeliveryWatch;
}

/** A purchase order that is followed until it is delivered. */
export interface DeliveryWatch {
  readonly replenishment: RunningReplenishment;
  /** The case that was opened because it is overdue. */
  readonly reviewId: string | null;
}

export type ReplenishmentAnswer =
  | { readonly kind: 'done'; readonly replenishmentId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** `planned` answers when it is decided what will be ordered, or why nothing is; where one runs already, it is that one. */
export const replenishmentUpdates = { planned: 'planned' } as const;
export interface PlannedRequest {
  readonly replenishmentId: string;
}
/** `low`: look at the level once more before you end. With the start it is heard also by a workflow that is about to end. */
export const replenishmentSignals = { low: 'low' } as const;

// ── payment/<id> ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface PaymentInput {
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly cardToken: string;
  readonly backupCardToken: string | null;
  readonly customerId: string | null;
  readonly email: string | null;
  readonly reference: string | null;
  readonly pace: Pace;
  readonly caller: Caller;
  readonly requestedAt: string;
}

export type PaymentAnswer =
  | { readonly kind: 'done'; readonly status: PaymentStatus }
  | { readonly kind: 'refused'; readonly status: PaymentStatus; readonly refusal: Refusal };

/** Update of `payment/<id>`: answers when the payment is decided. It goes with the start. */
export const paymentUpdates = { decided: 'decided' } as const;

// ── notices/<batch>, sweep ──────────────────────────────────────────────────────────────────────────────────────────

export interface NoticesInput {
  /** Rows of the outbox. */
  readonly rowIds: readonly number[];
  /** Before the second try to send; the third waits twice as long. Scaled by the pace. */
  readonly waitSeconds: number;
  readonly pace: Pace;
}
export const noticesWorkflowId = (batchId: string) => `notices/${batchId}`;
export const sweepScheduleId = 'sweep';

// ── every workflow with compensations ───────────────────────────────────────────────────────────────────────────────

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
