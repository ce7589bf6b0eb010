/** What a reconciliation compares and finds. Amounts in minor units, times RFC 3339. compare-books.ts compares. */
import type { BookedDispute, BookedRefund } from './adoption.js';
import type { DisputeStatus } from './disputes.js';
import type { GatewayName } from './gateways.js';
import type { RefundOrigin, RefundStatus } from './refunds.js';
import type { CardSlot, PaymentStatus } from './states.js';

export const discrepancyKinds = [
  'missing_here',
  'missing_there',
  'amount',
  'currency',
  'status',
  'authorization_open',
  'authorization_expired',
  'captured_twice',
  'refund_missing_here',
  'refund_missing_there',
  'refund_failed_late',
  'refund_pending_long',
  'dispute_unknown',
  'dispute_amount',
  'duplicate_reference',
  'unknown_key',
] as const;
export type DiscrepancyKind = (typeof discrepancyKinds)[number];

export const discrepancyActions = ['repaired', 'review', 'none'] as const;
export type DiscrepancyAction = (typeof discrepancyActions)[number];

export const reconciliationStatuses = ['running', 'completed', 'failed'] as const;
export type ReconciliationStatus = (typeof reconciliationStatuses)[number];

/** How far a reconciliation has come. Absent members: not begun. */
export interface ReconciliationProgress {
  /** The processors to compare with, fixed at the start. */
  readonly gateways?: readonly GatewayName[];
  /** Those of them that are done. */
  readonly done?: number;
  /** Of the processor's next page; null: all are listed. Absent: the first page. */
  readonly cursor?: string | null;
  /** Pages of this processor that were listed. */
  readonly pages?: number;
  /** The last payment that was compared. */
  readonly after?: string;
  /** Discrepancies that are being repaired. */
  readonly repairing?: readonly string[];
}

/** A payment in a processor's books. */
export interface BookedPayment {
  readonly authorizationId: string;
  /** Our payment and card, as the processor's books name them; null: they name none of ours. */
  readonly paymentId: string | null;
  readonly card: CardSlot | null;
  /** `unknown`: the books do not say, as where somebody made it in the processor's own pages. */
  readonly madeBy: 'us' | 'others' | 'unknown';
  /** The order or payment that it was made for, as the books say; null: they say nothing. */
  readonly reference: string | null;
  readonly status: 'authorized' | 'captured' | 'voided' | 'declined';
  /** Voided by the processor itself, because nobody captured it in time. */
  readonly expired: boolean;
  readonly amount: number;
  readonly currency: string;
  readonly captured: number;
  readonly createdAt: string;
  readonly refunds: readonly BookedRefund[];
  readonly disputes: readonly BookedDispute[];
}

/** A payment without its refunds and disputes, as a processor lists it. */
export type ListedPayment = Omit<BookedPayment, 'refunds' | 'disputes'>;

export interface OurRefund {
  readonly id: string;
  readonly amount: number;
  readonly status: RefundStatus;
  readonly origin: RefundOrigin;
  readonly providerReference: string | null;
  readonly createdAt: string;
  /** When it was decided, else when it was made. */
  readonly changedAt: string;
}

export interface OurDispute {
  readonly providerReference: string;
  readonly amount: number;
  readonly status: DisputeStatus;
}

/** A payment in our books. */
export interface OurPayment {
  readonly id: string;
  readonly gateway: GatewayName;
  readonly status: PaymentStatus;
  readonly amount: number;
  readonly currency: string;
  /** The processor's id of the authorization whose money it counts. */
  readonly providerReference: string | null;
  readonly refunded: number;
  readonly updatedAt: string;
  readonly refunds: readonly OurRefund[];
  readonly disputes: readonly OurDispute[];
}

/** Both sides of one payment. `namesOurs`: the references of those `theirs` that are an order's or a payment's of ours. */
export interface Sides {
  readonly ours: OurPayment | null;
  readonly theirs: readonly BookedPayment[];
  readonly namesOurs: ReadonlySet<string>;
}

/**
 * - `adopt`: their books become ours (db/functions/15_adoption.sql).
 * - `void`: the authorization is voided, as the undo of the card would.
 */
export type Remedy = 'adopt' | 'void' | 'review' | 'none';

export interface Finding {
  readonly kind: DiscrepancyKind;
  readonly paymentId: string | null;
  /** The processor's id of what differs: a payment, a refund or a dispute. */
  readonly providerReference: string | null;
  readonly ours: Readonly<Record<string, unknown>> | null;
  readonly theirs: Readonly<Record<string, unknown>> | null;
  readonly remedy: Remedy;
  /** The payment at the processor; null: there is none. */
  readonly authorizationId: string | null;
  readonly card: CardSlot | null;
}

/** When the sides were read, and what is too young to be compared: it may still be under way. */
export interface Moment {
  readonly now: string;
  readonly graceSeconds: number;
}
