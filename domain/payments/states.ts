/** The states of a payment and every way from one to another. The database holds the same table (`payment_transitions`). */

export const paymentStatuses = [
  'pending',
  'authorized',
  'captured',
  'declined',
  'blocked',
  'failed',
  'voided',
  'partially_refunded',
  'refunded',
] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

export const paymentTransitions: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: ['authorized', 'captured', 'declined', 'blocked', 'failed', 'voided', 'refunded'],
  authorized: ['captured', 'declined', 'failed', 'voided'],
  captured: ['partially_refunded', 'refunded'],
  partially_refunded: ['refunded'],
  declined: [],
  blocked: [],
  failed: [],
  voided: [],
  refunded: [],
};

/** A score above this blocks a payment. */
export const fraudThreshold = 0.8;

export type CardSlot = 'primary' | 'backup';

/** One try of one card, as the payment resource shows it. `at` is RFC 3339, UTC. */
export interface PaymentAttempt {
  readonly card: CardSlot;
  readonly outcome: 'captured' | 'declined' | 'blocked' | 'failed' | 'voided';
  readonly code: string | null;
  readonly at: string;
}
