/** The contract of `subscription/<id>`: its id, input, updates and signals. Types and constants only. */
import type { Currency } from '../../domain/money.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { CustomerLimits } from '../../domain/payments/limits.js';
import type { Plan, SubscriptionStatus } from '../../domain/subscriptions/states.js';
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

export const subscriptionWorkflowId = (subscriptionId: string) => `subscription/${subscriptionId}`;

export interface SubscriptionInput {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly email: string | null;
  readonly plan: Plan;
  /** The processor of its payments, fixed when it starts. */
  readonly gateway: GatewayName;
  readonly cardToken: string;
  readonly backupCardToken: string | null;
  /** RFC 3339; null: now. */
  readonly startAt: string | null;
  readonly anchorDay: number | null;
  readonly testClock: string | null;
  /** Seconds to wait before each further attempt at a renewal (DUNNING_WAITS_SECONDS). */
  readonly dunningWaitsSeconds: readonly number[];
  /** Limits on its first payment; absent: none is set. */
  readonly limits?: CustomerLimits;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  /** RFC 3339; when the API accepted it. */
  readonly requestedAt: string;
  /** The id of the lost run that this run resumes. */
  readonly resumed?: string;
  /** It goes on from an earlier run of itself, whose history grew long; its state is in Postgres. */
  readonly continued?: true;
}

/** The difference that a change of plan makes. `net` = `charge` − `credit`, in minor units. */
export interface Proration {
  readonly credit: number;
  readonly charge: number;
  readonly net: number;
  readonly currency: Currency;
  readonly from: string;
  readonly to: string;
}

/** `proration`: only of a `change`. */
export type SubscriptionAnswer = SagaAnswer<SubscriptionStatus> & { readonly proration?: Proration };

/** `opened` is sent with the start, and answers when the first charge is decided. `advance` is sent by its test clock. */
export const subscriptionUpdates = {
  opened: 'opened',
  change: 'change',
  cancel: 'cancel',
  pause: 'pause',
  resume: 'resume',
  paymentMethod: 'paymentMethod',
  advance: 'advance',
} as const;

export interface ChangeRequest {
  readonly plan: Plan;
  /** Limits on what it charges; absent: none is set. */
  readonly limits?: CustomerLimits;
  readonly caller: Caller;
}
export interface CancelSubscriptionRequest {
  readonly atPeriodEnd: boolean;
  readonly caller: Caller;
}
/** Of `pause` and `resume`. `limits`: on what a resumption charges; absent: none is set. */
export interface PlainRequest {
  readonly limits?: CustomerLimits;
  readonly caller: Caller;
}
export interface PaymentMethodRequest {
  readonly cardToken: string;
  readonly backupCardToken: string | null;
  readonly caller: Caller;
}
/** The clock stands at `to`: do all that is due. */
export interface AdvanceRequest {
  readonly to: string;
  readonly caller: Caller;
}

/** Signals for people and other systems: `cancel` with `{ atPeriodEnd? }`, `pause` and `resume` with nothing. */
export const subscriptionSignals = { cancel: 'cancel', pause: 'pause', resume: 'resume' } as const;
