/** The contract of `order/<id>`: its id, input, updates and signals. Types and constants only. */

import type { OrderDetails } from '../../domain/orders/details.js';
import type { OrderStatus } from '../../domain/orders/states.js';
import type { GivenLineMoney, GivenOrderMoney, PaymentChoice } from '../../domain/orders/steps.js';
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

export type { PaymentChoice } from '../../domain/orders/steps.js';

export const orderWorkflowId = (orderId: string) => `order/${orderId}`;

interface OrderLineInput extends GivenLineMoney {
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
  /** Absent: no charges, and any total is right. */
  readonly money?: GivenOrderMoney;
  /** Absent: none. */
  readonly details?: OrderDetails;
  readonly payment: PaymentChoice | null;
  /** Continue to payment as soon as everything is reserved. */
  readonly confirm: boolean;
  readonly holdSeconds: number;
  readonly draftSeconds: number;
  /** First wait before asking a supplier again; later waits double. */
  readonly supplierRecheckSeconds: number;
  /** 'delayed' answers that a supplier may give; one more fails the order. */
  readonly supplierMaxDelayed: number;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  /** RFC 3339; when the API accepted the order. */
  readonly requestedAt: string;
  /** Absent on orders started before single-activity checkout (activities/checkout.ts): they run an activity for each step. */
  readonly singleActivity?: true;
  /** The id of the lost run whose order this run resumes. */
  readonly resumed?: string;
}

export type OrderAnswer = SagaAnswer<OrderStatus>;

/**
 * Updates of `order/<id>`. `opened` is sent with the start and changes nothing. It answers when the first decision is
 * durable; with `confirm`, when the payment is decided.
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
