/** Refunds as the processor's client takes them. */
import type { CallOptions } from '../../http/http.js';
import type { PaymentGateway } from '../gateway.js';

/** Its idempotency key is `<refundId>/<attempt>`. */
export interface RefundCall {
  readonly refundId: string;
  /** From 1: an attempt that failed for good is followed by the next. */
  readonly attempt: number;
  readonly paymentId: string;
  readonly authorizationId: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
}

/** `pending`: the processor decides later. `disputed`: not refundable while the dispute stands. */
export type RefundAnswer =
  | { readonly kind: 'succeeded' | 'pending'; readonly providerReference: string }
  | {
      readonly kind: 'failed';
      readonly providerReference: string | null;
      readonly code: string;
      readonly detail: string;
    }
  | { readonly kind: 'over_refund' }
  | { readonly kind: 'disputed' };

export interface RefundingGateway extends PaymentGateway {
  refund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer>;
  /** The outcome of `refund` as it stands now; null if the processor has none. */
  findRefund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer | null>;
}
