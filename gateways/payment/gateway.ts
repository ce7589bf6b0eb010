import type { AuthorizeAnswer, CaptureAnswer } from '../../domain/payments/answers.js';
import type { CallOptions } from '../http/http.js';

/**
 * A card processor. Every call carries an idempotency key: the same key again is the same operation and gets the same
 * answer. Every call may throw a GatewayFault, which says nothing about whether the operation happened.
 */
export interface PaymentGateway {
  /** Reserves money on a card. `reference` is what the processor's books show: the order's id, else the payment's. */
  authorize(call: AuthorizeCall, options?: CallOptions): Promise<AuthorizeAnswer>;
  /** Takes the whole authorized amount. */
  capture(
    call: { idempotencyKey: string; authorizationId: string; amount: number },
    options?: CallOptions,
  ): Promise<CaptureAnswer>;
  /** Gives up an authorization that was not captured. Voiding what is void answers `voided`. */
  void(call: { idempotencyKey: string; authorizationId: string }, options?: CallOptions): Promise<VoidAnswer>;
  /** Returns captured money, in minor units. */
  refund(
    call: { idempotencyKey: string; authorizationId: string; amount: number },
    options?: CallOptions,
  ): Promise<RefundAnswer>;
  /**
   * What became of the authorize call with this key; null where there is no answer yet: the processor never saw it, or
   * is still at work on it. Only a repetition of the call makes that definite.
   */
  findAuthorization(idempotencyKey: string, options?: CallOptions): Promise<AuthorizeAnswer | null>;
  /** What became of the capture call with this key; null where there is no answer yet. */
  findCapture(idempotencyKey: string, options?: CallOptions): Promise<CaptureAnswer | null>;
  /** The processor's books for one authorization; null where it does not exist. Amounts in minor units. */
  books(authorizationId: string, options?: CallOptions): Promise<AuthorizationBooks | null>;
  /** Breaks off what is under way and lets the connections go. */
  close(): Promise<void>;
}

interface AuthorizeCall {
  readonly idempotencyKey: string;
  readonly token: string;
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
}

/** `captured`: too late to void, the money must be refunded. */
export type VoidAnswer = { readonly kind: 'voided' } | { readonly kind: 'captured' };
export type RefundAnswer = { readonly kind: 'refunded'; readonly refundId: string } | { readonly kind: 'over_refund' };

interface AuthorizationBooks {
  readonly authorizationId: string;
  readonly status: 'authorized' | 'captured' | 'voided' | 'declined';
  readonly amount: number;
  readonly captured: number;
  readonly refunded: number;
  readonly voided: boolean;
}
