/** The steps of a subscription and their results. Each is one transaction in Postgres (db/subscriptions/store.ts). */
import type { Refusal } from '../errors.js';
import type { PaymentRecord } from '../orders/steps.js';
import type { GatewayName } from '../payments/gateways.js';
import type { CustomerLimits } from '../payments/limits.js';
import type { StepBase, StepResult } from '../steps.js';
import type { Prorated } from './commands.js';
import type { Plan, StoredCard, SubscriptionStatus } from './states.js';
import type { ChargeOrder } from './subscription.js';

export interface SubscriptionStepBase extends StepBase {
  readonly subscriptionId: string;
}

/** Creates the subscription, and begins its first charge unless it starts later. */
export interface OpenStep extends SubscriptionStepBase {
  readonly requestedAt: string;
  readonly customerId: string;
  readonly email: string | null;
  readonly plan: Plan;
  readonly gateway: GatewayName;
  /** Null: it was refused. */
  readonly card: StoredCard | null;
  readonly backupCard: StoredCard | null;
  readonly startAt: string | null;
  readonly anchorDay: number | null;
  readonly testClock: string | null;
  /** Of the customer, on its first payment; absent: none. */
  readonly limits?: CustomerLimits;
  /** Why it was refused before a card was charged: the subscription is kept as cancelled. */
  readonly refusal: Refusal | null;
}

/** Records how a charge was decided, and what follows from it. */
export interface SettleStep extends SubscriptionStepBase {
  readonly paymentId: string;
  /** `decided`: by a lost task, which has recorded it. */
  readonly charged: 'captured' | 'refused' | 'stopped' | 'decided';
  readonly payment: PaymentRecord | null;
  readonly refusal: Refusal | null;
  readonly dunningWaitsSeconds: readonly number[];
}

/** A step that may charge the customer, who is there. `limits`: on what the customer may spend; absent: none is set. */
export type ChargingStep = SubscriptionStepBase & { readonly limits?: CustomerLimits };
export type ChangeStep = ChargingStep & { readonly plan: Plan };
export type CancelStep = SubscriptionStepBase & { readonly atPeriodEnd: boolean };
export type ReplaceCardStep = SubscriptionStepBase & {
  readonly card: StoredCard;
  readonly backupCard: StoredCard | null;
};

/** The subscription after a step. */
export interface SubscriptionState {
  readonly status: SubscriptionStatus;
  /** When it next has something to do by itself; null: it waits for a command or for its test clock. */
  readonly nextAt: string | null;
  /** Something is due now. */
  readonly due: boolean;
  /** The charge under way. */
  readonly charge: ChargeOrder | null;
}

interface SubscriptionTransition {
  readonly from: SubscriptionStatus | null;
  readonly to: SubscriptionStatus;
}

/** The answer of a step, kept under its key for a repetition. */
export type StepAnswer =
  | {
      readonly outcome: 'done';
      /** The payment that the step began. */
      readonly begun?: string;
      /** Of a change of plan. */
      readonly prorated?: Prorated;
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

interface SubscriptionStepDetails {
  /** Nothing was done: something is due or being charged, and comes first. */
  readonly busy?: true;
  readonly begun?: string;
  readonly prorated?: Prorated;
  /** Of a settling whose card was given up by a lost task: nothing was recorded, and its money must be returned. */
  readonly givenUp?: true;
}

export type SubscriptionStepResult = StepResult<SubscriptionState, SubscriptionTransition, SubscriptionStepDetails>;

/**
 * The key of a step.
 * @param cause a command's id or a payment's; `once` for opening
 */
export const subscriptionStepKey = (subscriptionId: string, name: string, cause: string): string =>
  `subscription/${subscriptionId}/${name}/${cause}`;
