import type { AuthorizeAnswer, CaptureAnswer } from '../../../domain/payments/answers.js';
import type { DisputeStatus } from '../../../domain/payments/disputes.js';
import type { GatewayName } from '../../../domain/payments/gateways.js';
import type { RefundStatus } from '../../../domain/payments/refunds.js';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import type { CallOptions } from '../../http/http.js';

export interface ProviderIds {
  readonly known: string | null;
  remember(providerId: string): Promise<void>;
}
export interface RefundCall {
  readonly refundId: string;
  readonly attempt: number;
  readonly paymentId: string;
  readonly authorizationId: string;
  readonly amount: number;
  readonly currency: string;
}
export type VoidAnswer = { readonly kind: 'voided' } | { readonly kind: 'captured' };
export type UndoCaptureAnswer = { readonly kind: 'returned' } | { readonly kind: 'over_refund' };
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
export interface BookedRefund {
  readonly providerReference: string;
  readonly refundId: string | null;
  readonly amount: number;
  readonly status: RefundStatus;
  readonly failure: string | null;
  readonly at: string;
}
export interface BookedDispute {
  readonly providerReference: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  readonly status: DisputeStatus;
  readonly refundable: boolean;
  readonly openedAt: string;
  readonly closedAt: string | null;
}
export interface AuthorizationBooks {
  readonly authorizationId: string;
  readonly status: 'authorized' | 'captured' | 'voided' | 'declined';
  readonly amount: number;
  readonly captured: number;
  readonly refunded: number;
  readonly voided: boolean;
  readonly refundable: boolean;
  readonly refunds: readonly BookedRefund[];
  readonly disputes: readonly BookedDispute[];
}
export interface PaymentGateway {
  readonly name: GatewayName;
  readonly storesIds: boolean;
  authorize(operation: CardOperation, ids: ProviderIds, options?: CallOptions): Promise<AuthorizeAnswer>;
  findAuthorization(
    operation: CardOperation,
    known: string | null,
    options?: CallOptions,
  ): Promise<AuthorizeAnswer | null>;
  capture(operation: CardOperation, authorizationId: string, options?: CallOptions): Promise<CaptureAnswer>;
  findCapture(operation: CardOperation, authorizationId: string, options?: CallOptions): Promise<CaptureAnswer | null>;
  void(operation: CardOperation, authorizationId: string, options?: CallOptions): Promise<VoidAnswer>;
  cancel?(operation: CardOperation, known: string | null, options?: CallOptions): Promise<VoidAnswer>;
  undoCapture(
    operation: CardOperation,
    authorizationId: string,
    amount: number,
    options?: CallOptions,
  ): Promise<UndoCaptureAnswer>;
  refund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer>;
  findRefund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer | null>;
  read(authorizationId: string, options?: CallOptions): Promise<AuthorizationBooks | null>;
  changes(
    request: { since: string; cursor: string | null },
    options?: CallOptions,
  ): Promise<{ providerIds: readonly string[]; cursor: string | null; until: string }>;
  close(): Promise<void>;
}
