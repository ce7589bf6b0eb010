/** Subscriptions: their plan, states, transitions and billing records. Amounts are minor units; instants RFC 3339 in UTC. */
import type { Currency } from '../money.js';

export const planIntervals = ['day', 'week', 'month', 'year'] as const;
export type PlanInterval = (typeof planIntervals)[number];

/** What each period costs, and how long it is. */
export interface Plan {
  readonly amount: number;
  readonly currency: Currency;
  readonly interval: PlanInterval;
}

/** From its start, up to and without its end. */
export interface Period {
  readonly start: string;
  readonly end: string;
}

export const subscriptionStatuses = ['scheduled', 'active', 'past_due', 'unpaid', 'paused', 'cancelled'] as const;
/**
 * - `scheduled`: its first period has not begun.
 * - `past_due`: the card was refused, and is tried again.
 * - `unpaid`: it is not tried again. Nothing more is charged until there is another card.
 */
export type SubscriptionStatus = (typeof subscriptionStatuses)[number];

export const subscriptionTransitions: Readonly<Record<SubscriptionStatus, readonly SubscriptionStatus[]>> = {
  scheduled: ['active', 'cancelled'],
  active: ['past_due', 'unpaid', 'paused', 'cancelled'],
  past_due: ['active', 'unpaid', 'paused', 'cancelled'],
  unpaid: ['active', 'paused', 'cancelled'],
  paused: ['active', 'cancelled'],
  cancelled: [],
};

/** What a record bills: a period, or the difference that a change of plan makes. */
export const billingKinds = ['period', 'proration'] as const;
export type BillingKind = (typeof billingKinds)[number];

/** `open`: its charge is under way, and no card has been refused yet. */
export const billingStatuses = ['open', 'paid', 'failed', 'void'] as const;
export type BillingStatus = (typeof billingStatuses)[number];

/** One amount of a billing record; below 0 for a credit. */
export interface BillingLine {
  readonly description: string;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

/** A card that is kept for renewals: what the processor stores it as, and the customer there that it belongs to. */
export interface StoredCard {
  readonly token: string;
  readonly customer: string | null;
  /** Its bank has said not to try it again. */
  readonly final?: true;
}

/** Mails to the customer about a renewal that was refused. `past_due_until_end`: no attempt is left before its period ends. */
export type SubscriptionMail = 'past_due' | 'past_due_until_end' | 'unpaid' | 'authentication_required';
