/** The commands of a subscription. It has no timeline: ignored signals go to the worker's log. */
import { log } from '@temporalio/workflow';
import { type Refusal, refusal } from '../../domain/errors.js';
import type { SubscriptionStatus } from '../../domain/subscriptions/states.js';
import type { ChargePurpose } from '../../domain/subscriptions/subscription.js';
import { type Command, type CommandTable, Inbox } from '../shared/inbox.js';
import {
  type AdvanceRequest,
  type CancelSubscriptionRequest,
  type ChangeRequest,
  type PaymentMethodRequest,
  type PlainRequest,
  type SubscriptionAnswer,
  subscriptionUpdates,
} from './contract.js';
import { parseCancelSubscription, parsePlain } from './signals.js';

interface SubscriptionRequests {
  readonly change: ChangeRequest;
  readonly cancel: CancelSubscriptionRequest;
  readonly pause: PlainRequest;
  readonly resume: PlainRequest;
  readonly paymentMethod: PaymentMethodRequest;
  readonly advance: AdvanceRequest;
}
interface Standing {
  readonly status: SubscriptionStatus;
}

export type SubscriptionCommand = Command<SubscriptionRequests, SubscriptionAnswer>;
export type SubscriptionInbox = Inbox<SubscriptionRequests, Standing, SubscriptionAnswer>;

const whenCancelled = (_request: unknown, { status }: Standing): Refusal | null =>
  status === 'cancelled' ? refusal('invalid_state', 'the subscription is cancelled', { from: status }) : null;

const commands: CommandTable<SubscriptionRequests, Standing, SubscriptionAnswer> = {
  change: { refusedWhen: whenCancelled },
  cancel: { refusedWhen: whenCancelled, parseSignal: parseCancelSubscription },
  pause: { refusedWhen: whenCancelled, parseSignal: parsePlain },
  resume: { refusedWhen: whenCancelled, parseSignal: parsePlain },
  paymentMethod: { refusedWhen: whenCancelled },
  // Nothing is due of one that is cancelled.
  advance: {},
};

/** @param run prefix of this run's signal ids; empty in the first run */
export function subscriptionInbox(run: string): SubscriptionInbox {
  return new Inbox<SubscriptionRequests, Standing, SubscriptionAnswer>(commands, {
    standing: { status: 'scheduled' },
    firstAnswer: subscriptionUpdates.opened,
    run,
    onIgnored: ({ text }) => log.warn(text),
  });
}

/** Whether the command comes before what is due and before other commands. */
export function stops(command: SubscriptionCommand): boolean {
  return command.kind === 'pause' || (command.kind === 'cancel' && !command.request.atPeriodEnd);
}

/** Whether the command keeps a charge under way from being captured. A pause waits for the first one: it pauses what has begun. */
export function stopsCharge(command: SubscriptionCommand, purpose: ChargePurpose): boolean {
  return stops(command) && (command.kind !== 'pause' || purpose !== 'open');
}
