/** A subscription and its billing records as its steps see them, and what a step changes. Amounts are minor units. */
import type { Currency } from '../money.js';
import type { GatewayName } from '../payments/gateways.js';
import type { CardSlot } from '../payments/states.js';
import type {
  BillingKind,
  BillingLine,
  BillingStatus,
  Period,
  Plan,
  StoredCard,
  SubscriptionMail,
  SubscriptionStatus,
} from './states.js';

export interface Subscription {
  readonly id: string;
  readonly status: SubscriptionStatus;
  readonly customerId: string;
  readonly email: string | null;
  readonly plan: Plan;
  readonly gateway: GatewayName;
  /** Null once it is cancelled. */
  readonly card: StoredCard | null;
  readonly backupCard: StoredCard | null;
  /** The first boundary between two whole periods. */
  readonly anchor: string;
  readonly anchorDay: number | null;
  readonly period: Period | null;
  /** Whole intervals from the anchor to the end of its period. */
  readonly periodNumber: number;
  /** Counts its anchors. */
  readonly series: number;
  readonly cancelAtPeriodEnd: boolean;
  readonly creditBalance: number;
  readonly testClock: string | null;
  /** When it next has something to do; null: nothing until a command. */
  readonly nextAt: string | null;
  readonly pending: PendingCharge | null;
  readonly version: number;
  readonly failure: Failure | null;
  readonly createdAt: string;
}

export interface Failure {
  readonly code: string;
  readonly detail: string;
}

/** What may change of a subscription. */
export type Changes = Partial<
  Omit<Subscription, 'id' | 'customerId' | 'email' | 'gateway' | 'testClock' | 'version' | 'createdAt'>
>;

/** `open`: the first charge. `period`: a renewal, and each further attempt at it. */
export type ChargePurpose = 'open' | 'period' | 'change' | 'resume';

/** The charge under way. */
export interface PendingCharge {
  readonly purpose: ChargePurpose;
  readonly recordId: string;
  readonly paymentId: string;
  /** The customer is there: it is scored and limited. */
  readonly customerInitiated: boolean;
  /** What changes once it is paid. */
  readonly onPaid: Changes;
}

export interface BillingRecord {
  readonly id: string;
  readonly kind: BillingKind;
  readonly series: number;
  readonly period: Period;
  /** `credit` + `charged`. */
  readonly amount: number;
  /** Taken from the credit balance; below 0: given to it. */
  readonly credit: number;
  readonly charged: number;
  readonly paymentId: string | null;
  readonly status: BillingStatus;
  /** Attempts begun. */
  readonly attempts: number;
  readonly lines: readonly BillingLine[];
  readonly createdAt: string;
}

/** What a step reads before it decides. */
export interface Snapshot {
  readonly subscription: Subscription;
  /** Its records that are open or failed. */
  readonly unsettled: readonly BillingRecord[];
  /** The time of its test clock, else the present; whole seconds. */
  readonly now: string;
  /** Its first charge began with its opening: its customer asked for it. Absent: it did not. */
  readonly startedByCustomer?: boolean;
}

/** Makes ids from what they are for, so that a repeated step makes the same ones. */
export interface Ids {
  record(cause: string): string;
  payment(cause: string): string;
}

/** What a step changes, all in one transaction. */
export interface Decision {
  readonly changes: Changes;
  /** New ones, and those that change. */
  readonly records: readonly BillingRecord[];
  /** About the last payment; none is sent where there is no address. */
  readonly mail: SubscriptionMail | null;
  /** For the audit: `subscription.<event>`. */
  readonly event: string;
}

/** The charge that the workflow has to carry out. */
export interface ChargeOrder {
  readonly paymentId: string;
  readonly purpose: ChargePurpose;
  readonly amount: number;
  readonly currency: Currency;
  readonly card: StoredCard;
  readonly backupCard: StoredCard | null;
  readonly abandoned: readonly CardSlot[];
  /** Cards that were declined for good: they are left out. */
  readonly final: readonly CardSlot[];
  readonly customerInitiated: boolean;
}

/** Unix seconds of an instant. */
export const secondsOf = (instant: string): number => Math.floor(Date.parse(instant) / 1000);

/** RFC 3339 in UTC, whole seconds. */
export const instantOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
