import type { GatewayName } from '../../domain/payments/gateways.js';
import type { CardSlot } from '../../domain/payments/states.js';
import type { CallOptions } from '../http/http.js';

/** Scores a payment before any money moves. It has no side effect, so it may be repeated. May throw a GatewayFault. */
export interface FraudGateway {
  /** The risk, 0 (none) to 1. */
  score(call: FraudCall, options?: CallOptions): Promise<number>;
  /** Aborts calls in flight and closes the connections. */
  close(): Promise<void>;
}

export interface FraudCall {
  readonly paymentId: string;
  readonly card: CardSlot;
  /** The processor of the payment; absent: the sandbox. */
  readonly gateway?: GatewayName;
  readonly token: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  readonly customerId: string | null;
}
