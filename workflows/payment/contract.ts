/** The contract of `payment/<id>`: its id, input and update. Types and constants only. */
import type { Currency } from '../../domain/money.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { CustomerLimits } from '../../domain/payments/limits.js';
import type { PaymentStatus } from '../../domain/payments/states.js';
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

export const paymentWorkflowId = (paymentId: string) => `payment/${paymentId}`;

export interface PaymentInput {
  readonly paymentId: string;
  /** Its processor, fixed when it starts. Absent on payments started by 0.1.0: the sandbox. */
  readonly gateway?: GatewayName;
  readonly amount: number;
  readonly currency: Currency;
  readonly cardToken: string;
  readonly backupCardToken: string | null;
  readonly customerId: string | null;
  readonly email: string | null;
  readonly reference: string | null;
  /** Its customer's limits; absent: none is set. */
  readonly limits?: CustomerLimits;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  readonly requestedAt: string;
}

export type PaymentAnswer = SagaAnswer<PaymentStatus>;

/** Update of `payment/<id>`, sent with the start: answers when the payment is decided. */
export const paymentUpdates = { decided: 'decided' } as const;
