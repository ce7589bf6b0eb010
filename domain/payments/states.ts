/** The states of a payment and their transitions. The database holds the same table (`payment_transitions`). */

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
  // A refund may fail after it succeeded: its money is captured again.
  partially_refunded: ['captured', 'refunded'],
  refunded: ['captured', 'partially_refunded'],
  declined: [],
  blocked: [],
  failed: [],
  voided: [],
};

/** A score above this blocks a payment. */
export const fraudThreshold = 0.8;

export const cardSlots = ['primary', 'backup'] as const;
export type CardSlot = (typeof cardSlots)[number];

/** How an attempt on a card ended. */
export const attemptOutcomes = ['captured', 'declined', 'blocked', 'failed', 'voided'] as const;

/** One attempt on one card, as the payment resource shows it. `at` is RFC 3339, UTC. */
export interface PaymentAttempt {
  readonly card: CardSlot;
  readonly outcome: (typeof attemptOutcomes)[number];
  readonly code: string | null;
  /** The bank says not to try the card again. Not shown: it would tell a thief what the bank knows. */
  readonly final?: true;
  readonly at: string;
}
