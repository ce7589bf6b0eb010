/** The contract of `refund/<id>`: its id, input, update and signal. Types and constants only. */
import type { RefundRequest, RefundStatus } from '../../domain/payments/refunds.js';
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

export const refundWorkflowId = (refundId: string) => `refund/${refundId}`;

export interface RefundInput {
  readonly refundId: string;
  /** What is refunded: an order, or a payment. The other one is null. */
  readonly orderId: string | null;
  readonly paymentId: string | null;
  readonly request: RefundRequest;
  readonly reason: string;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  readonly requestedAt: string;
}

export type RefundAnswer = SagaAnswer<RefundStatus>;

/** Update of `refund/<id>`, sent with the start: answers when the refund is settled, or the processor says that it is pending. */
export const refundUpdates = { decided: 'decided' } as const;
