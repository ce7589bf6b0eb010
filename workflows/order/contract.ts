/** What the outside needs to know of `order/<id>`: its id, input, updates and signals. Types and constants only. */
import type { OrderStatus } from '../../domain/orders/states.js';
import type { PaymentChoice } from '../../domain/orders/steps.js';
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

export type { PaymentChoice } from '../../domain/orders/steps.js';

export const orderWorkflowId = (orderId: string) => `order/${orderId}`;

interface OrderLineInput {
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
  readonly retry: RetrySettings;
  readonly caller: Caller;
  /** RFC 3339; when the API took the order in. */
  readonly requestedAt: string;
  /**
   * Whether its purchase is one activity (activities/checkout.ts). Absent on orders started before single-activity checkout:
   * their histories have an activity for each step.
   */
  readonly singleActivity?: true;
  /** The run that was lost, where this one resumes its order. */
  readonly resumed?: string;
}

export type OrderAnswer = SagaAnswer<OrderStatus>;

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

/** Signals of `order/<id>`, for people and other systems: `confirm` with `{ payment? }` or nothing, `cancel` with `{ reason? }`. */
export const orderSignals = { confirm: 'confirm', cancel: 'cancel' } as const;
