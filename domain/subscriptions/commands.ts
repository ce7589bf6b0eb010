/** What a client's commands change. `busy`: something is due or being charged, and comes first. */
import { type Refusal, refusal } from '../errors.js';
import { attempt, bill, describePlan, isDue, periodBill, replacing, unpaidOf } from './billing.js';
import { cancelled } from './due.js';
import { numbered, wholePeriod } from './periods.js';
import { prorate } from './proration.js';
import type { BillingLine, Period, Plan, StoredCard } from './states.js';
import { type Changes, type Decision, type Ids, type Snapshot, type Subscription, secondsOf } from './subscription.js';

/** The difference that a change of plan makes. */
export interface Prorated {
  readonly credit: number;
  readonly charge: number;
  readonly net: number;
  readonly from: string;
  readonly to: string;
}

export type Decided =
  | { readonly kind: 'busy' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'done'; readonly decision: Decision; readonly prorated?: Prorated };

const busy = { kind: 'busy' } as const;
const refuse = (why: Refusal): Decided => ({ kind: 'refused', refusal: why });
const done = (decision: Decision): Extract<Decided, { kind: 'done' }> => ({ kind: 'done', decision });

function invalidState({ status }: Pick<Subscription, 'status'>, to: string): Refusal {
  return refusal('invalid_state', `a subscription that is ${status} cannot be ${to}`, { from: status });
}

const isBusy = (at: Snapshot): boolean => at.subscription.pending !== null || isDue(at);
const only = (changes: Changes, event: string) => done({ changes, records: [], mail: null, event });

export function change(at: Snapshot, ids: Ids, plan: Plan): Decided {
  const { subscription, now } = at;
  const { status, period, plan: old } = subscription;
  if (status === 'cancelled') return refuse(invalidState(subscription, 'changed'));
  if (isBusy(at)) return busy;
  if (plan.currency !== old.currency) {
    const detail = `the subscription is in ${old.currency}, and stays in it`;
    const errors = [{ pointer: '/plan/currency', code: 'invalid_value', detail }];
    return refuse(refusal('validation_failed', detail, { errors }));
  }
  if (status === 'scheduled' || status === 'paused') {
    const none = { credit: 0, charge: 0, net: 0, from: now, to: now };
    return { ...only({ plan, ...reanchored(subscription, plan) }, 'changed'), prorated: none };
  }
  if (status !== 'active' || period === null) return refuse(invalidState(subscription, 'changed'));
  return plan.interval === old.interval ? changePrice(at, ids, plan, period) : changeInterval(at, ids, plan, period);
}

/** Days and weeks have no day of the month to begin on. */
function reanchored({ status, nextAt, anchorDay }: Subscription, { interval }: Plan): Changes {
  if (status !== 'scheduled' || nextAt === null || anchorDay === null) return {};
  return interval === 'day' || interval === 'week' ? { anchor: nextAt, anchorDay: null } : {};
}

/** The period stays; the rest of it is paid at the new price. */
function changePrice(at: Snapshot, ids: Ids, plan: Plan, period: Period): Decided {
  const { subscription, now } = at;
  const rest = { start: now, end: period.end };
  const prorated = {
    ...prorate(subscription.plan.amount, plan.amount, rest, wholeOf(subscription)),
    from: now,
    to: period.end,
  };
  const lines = [unused(subscription.plan, rest, prorated.credit), remaining(plan, rest, prorated.charge)];
  const what = { kind: 'proration', series: subscription.series, period: rest, amount: prorated.net, lines } as const;
  return { kind: 'done', decision: bill(at, ids, what, changing({ plan })), prorated };
}

/** A new period begins now, at its full price. */
function changeInterval(at: Snapshot, ids: Ids, plan: Plan, period: Period): Decided {
  const { subscription, now } = at;
  const begun = numbered({ anchor: now, anchorDay: null, interval: plan.interval }, 1);
  const rest = { start: now, end: period.end };
  const { credit } = prorate(subscription.plan.amount, 0, rest, wholeOf(subscription));
  const prorated = { credit, charge: plan.amount, net: plan.amount - credit, from: now, to: begun.period.end };
  const series = subscription.series + 1;
  const lines = [unused(subscription.plan, rest, credit), ...periodBill(plan, series, begun.period).lines];
  const what = { kind: 'proration', series, period: begun.period, amount: prorated.net, lines } as const;
  const onPaid: Changes = { plan, ...beginning(now, series, begun.period) };
  return { kind: 'done', decision: bill(at, ids, what, changing(onPaid)), prorated };
}

const changing = (onPaid: Changes) =>
  ({ purpose: 'change', customerInitiated: true, event: 'changed', now: {}, onPaid }) as const;

/** A period that begins now, from which all others are counted. */
const beginning = (anchor: string, series: number, period: Period): Changes => ({
  ...{ anchor, anchorDay: null, series, period, periodNumber: 1, nextAt: period.end },
});

function wholeOf({ anchor, anchorDay, plan, periodNumber }: Subscription): Period {
  return wholePeriod({ anchor, anchorDay, interval: plan.interval }, periodNumber);
}

function unused(plan: Plan, { start, end }: Period, credit: number): BillingLine {
  return {
    description: `Unused time: ${describePlan(plan)}`,
    from: start,
    to: end,
    amount: credit === 0 ? 0 : -credit,
  };
}

function remaining(plan: Plan, { start, end }: Period, charge: number): BillingLine {
  return { description: `Remaining time: ${describePlan(plan)}`, from: start, to: end, amount: charge };
}

/** A cancel comes before whatever is due, but not before a charge under way is decided. */
export function cancel(at: Snapshot, atPeriodEnd: boolean): Decided {
  const { subscription, now } = at;
  const { status, period } = subscription;
  if (status === 'cancelled') return refuse(invalidState(subscription, 'cancelled'));
  if (atPeriodEnd ? isBusy(at) : subscription.pending !== null) return busy;
  const hasPeriod = period !== null && secondsOf(period.end) > secondsOf(now);
  if (!atPeriodEnd || !hasPeriod) return done(cancelled(at));
  const changes: Changes = { cancelAtPeriodEnd: true, ...(status === 'unpaid' && { nextAt: period.end }) };
  return only(changes, 'cancelled_at_period_end');
}

export function pause(at: Snapshot): Decided {
  const { subscription } = at;
  const { status, pending } = subscription;
  // Its first charge under way is decided first: then it has begun.
  if (status === 'scheduled' && pending !== null) return busy;
  if (status !== 'active' && status !== 'past_due' && status !== 'unpaid')
    return refuse(invalidState(subscription, 'paused'));
  if (pending !== null) return busy;
  const { changes, records } = cancelled(at);
  const { card, backupCard, failure, cancelAtPeriodEnd } = subscription;
  return done({
    changes: {
      ...changes,
      status: 'paused',
      card,
      backupCard,
      cancelAtPeriodEnd,
      failure: status === 'active' ? failure : null,
    },
    records,
    mail: null,
    event: 'paused',
  });
}

/** Begins a period now. Of one that is to be cancelled at its period's end: withdraws that. */
export function resume(at: Snapshot, ids: Ids): Decided {
  const { subscription, now } = at;
  const { status, plan, cancelAtPeriodEnd } = subscription;
  if (status === 'cancelled') return refuse(invalidState(subscription, 'resumed'));
  if (isBusy(at)) return busy;
  if (cancelAtPeriodEnd && (status === 'active' || status === 'past_due'))
    return only({ cancelAtPeriodEnd: false }, 'cancellation_withdrawn');
  if (status !== 'paused' && status !== 'unpaid') return refuse(invalidState(subscription, 'resumed'));
  const series = subscription.series + 1;
  const { period } = numbered({ anchor: now, anchorDay: null, interval: plan.interval }, 1);
  const onPaid: Changes = { status: 'active', cancelAtPeriodEnd: false, ...beginning(now, series, period) };
  const how = { purpose: 'resume', customerInitiated: true, event: 'resumed', now: {}, onPaid } as const;
  const billed = bill(at, ids, periodBill(plan, series, period), how);
  // Covered by credit: nothing waits for a charge.
  return done(billed.changes.pending === null ? replacing(billed, at, at.unsettled) : billed);
}

/** Another card. What is not paid is tried with it at once, while its period runs. */
export function replaceCard(at: Snapshot, ids: Ids, card: StoredCard, backupCard: StoredCard | null): Decided {
  const { subscription, now } = at;
  const { status, period } = subscription;
  if (status === 'cancelled') return refuse(invalidState(subscription, 'given another card'));
  if (isBusy(at)) return busy;
  const cards: Changes = { card, backupCard };
  const unpaid = unpaidOf(at);
  if (unpaid === null || period === null || secondsOf(period.end) <= secondsOf(now))
    return only(cards, 'card_replaced');
  const { changes, ...tried } = attempt(at, ids, unpaid);
  return done({ ...tried, changes: { ...changes, ...cards }, event: 'card_replaced' });
}
