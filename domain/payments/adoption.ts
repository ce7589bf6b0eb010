/** What a processor's books say of payments, and what it changes in ours (db/functions/15_adoption.sql). Amounts in minor units. */
import type { DisputeStatus } from './disputes.js';
import type { GatewayName } from './gateways.js';
import type { RefundStatus } from './refunds.js';

/** A payment at a processor. */
export interface ProcessorPayment {
  readonly gateway: GatewayName;
  /** The processor's id of it. */
  readonly providerId: string;
}

/** The processor's books of one payment, as far as they are adopted. */
export interface ProcessorBook {
  readonly gateway: GatewayName;
  readonly authorizationId: string;
  /** Our payment, as the processor's books name it; null: they name none of ours. */
  readonly paymentId: string | null;
  /** When the reading began, as Postgres' clock says it: a book that was read before the last one changes nothing. */
  readonly readAt: string;
  /** False while the processor refuses refunds. */
  readonly refundable: boolean;
  readonly refunds: readonly BookedRefund[];
  readonly disputes: readonly BookedDispute[];
}

/** A refund in a processor's books. */
export interface BookedRefund {
  readonly providerReference: string;
  /** Our refund, as the processor's books name it; null: it is none of ours, or the undo of a charge. */
  readonly refundId: string | null;
  readonly amount: number;
  readonly status: RefundStatus;
  readonly failure: string | null;
  /** RFC 3339. */
  readonly at: string;
}

/** A dispute in a processor's books. */
export interface BookedDispute {
  readonly providerReference: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  readonly status: DisputeStatus;
  readonly refundable: boolean;
  /** RFC 3339. */
  readonly openedAt: string;
  readonly closedAt: string | null;
}

/**
 * - `done`: adopted. `same`: our books said so already.
 * - `unknown`: no payment of ours.
 * - `in_flight`: its workflow is charging it, and settles what it finds.
 * - `waiting`: to be read again. The books have a refund whose money is reserved by refunds of ours, of which the processor
 *   will refuse one; or a refund that a person closed is on its way; or the payment was adopted while it was being read.
 */
export interface Adopted {
  readonly outcome: 'done' | 'same' | 'unknown' | 'in_flight' | 'waiting';
  /** Workflows that wait for what the processor has decided. */
  readonly workflows: readonly string[];
}
