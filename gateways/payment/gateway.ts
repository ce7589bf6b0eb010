import type { AuthorizeAnswer, CaptureAnswer } from '../../domain/payments/answers.js';
import type { RefundAnswer } from '../../domain/payments/refunds.js';
import type { CallOptions } from '../http/http.js';

/**
 * A card processor. Every call that changes something has an idempotency key: the same key is the same operation and gets
 * the same answer. Every call may throw a GatewayFault, which leaves open whether the operation happened.
 */
export interface PaymentGateway {
  /**
   * Reserves money on a card. `reference` appears in the processor's books: the order's id, or the payment's if there
   * is no order.
   */
  authorize(call: AuthorizeCall, options?: CallOptions): Promise<AuthorizeAnswer>;
  /** Captures the whole authorized amount. */
  capture(
    call: { idempotencyKey: string; authorizationId: string; amount: number },
    options?: CallOptions,
  ): Promise<CaptureAnswer>;
  /** Voids an authorization that was not captured. A void one is `voided` again. */
  void(call: { idempotencyKey: string; authorizationId: string }, options?: CallOptions): Promise<VoidAnswer>;
  /** Returns captured money. `pending`: the processor has taken the refund and decides it later. */
  refund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer>;
  /**
   * The outcome of the authorize call with this key; null if there is none yet: the processor has not seen the call, or
   * is still working on it. Only a repetition of the call settles which.
   */
  findAuthorization(idempotencyKey: string, options?: CallOptions): Promise<AuthorizeAnswer | null>;
  /** The outcome of the capture call with this key; null if there is none yet. */
  findCapture(idempotencyKey: string, options?: CallOptions): Promise<CaptureAnswer | null>;
  /** How the refund with this key stands now; null if there is none yet. */
  findRefund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer | null>;
  /** The processor's books for one authorization; null if it does not exist. Amounts in minor units. */
  books(authorizationId: string, options?: CallOptions): Promise<AuthorizationBooks | null>;
  /** Aborts calls in flight and closes the connections. */
  close(): Promise<void>;
}

interface AuthorizeCall {
  readonly idempotencyKey: string;
  readonly token: string;
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
}

/** `captured`: too late to void; refund the money instead. */
export type VoidAnswer = { readonly kind: 'voided' } | { readonly kind: 'captured' };

export interface RefundCall {
  readonly idempotencyKey: string;
  /** Our own id of the refund, by which its owner is found at the processor; null: the undo of a charge. */
  readonly refundId: string | null;
  readonly authorizationId: string;
  /** Minor units, at least 1. */
  readonly amount: number;
  readonly currency: string;
}

interface AuthorizationBooks {
  readonly authorizationId: string;
  readonly status: 'authorized' | 'captured' | 'voided' | 'declined';
  readonly amount: number;
  readonly captured: number;
  readonly refunded: number;
  readonly voided: boolean;
}
