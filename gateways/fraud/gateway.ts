import type { CallOptions } from '../http/http.js';

/** Scores a payment before any money moves. Has no effect that could double. May throw a GatewayFault. */
export interface FraudGateway {
  /** The risk, 0 (none) to 1. */
  score(call: FraudCall, options?: CallOptions): Promise<number>;
  /** Breaks off what is under way and lets the connections go. */
  close(): Promise<void>;
}

interface FraudCall {
  readonly token: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  readonly customerId: string | null;
}
