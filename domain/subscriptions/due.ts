/** What a subscription does by itself when its time has come. */
import { attempt, bill, isDue, periodBill, replacing, unpaidOf } from './billing.js';
import { firstPeriod, numbered } from './periods.js';
import { priceOf } from './proration.js';
import type { Changes, Decision, Ids, Snapshot } from './subscription.js';
import { secondsOf } from './subscription.js';

/** The next thing that is due; null: nothing, or a charge is under way that must be settled first. */
export function due(at: Snapshot, ids: Ids): Decision | null {
  if (!isDue(at)) return null;
  const { subscription, now } = at;
  const { status, period, cancelAtPeriodEnd } = subscription;
  if (status === 'scheduled') return start(at, ids, at.startedByCustomer ?? false);
  if (period === null) return { ...nothing, changes: { nextAt: null } };
  const unpaid = unpaidOf(at);
  if (secondsOf(period.end) > secondsOf(now))
    return unpaid === null || status === 'unpaid'
      ? { ...nothing, changes: { nextAt: period.end } }
      : attempt(at, ids, unpaid);
  if (cancelAtPeriodEnd) return cancelled(at);
  if (status === 'unpaid') return { ...nothing, changes: { nextAt: null } };
  if (unpaid !== null) return { ...givenUp(unpaid.id, at), mail: 'unpaid', event: 'unpaid' };
  return renew(at, ids);
}

const nothing = { records: [], mail: null, event: 'waited' } as const;

/** The period has ended before its record was paid. */
function givenUp(recordId: string, { unsettled }: Snapshot): Pick<Decision, 'changes' | 'records'> {
  const records = unsettled
    .filter(({ id }) => id === recordId)
    .map((record) => ({ ...record, status: 'failed' as const }));
  return { changes: { status: 'unpaid', nextAt: null }, records };
}

/** Begins the first period. @param customerInitiated the customer is there */
export function start(at: Snapshot, ids: Ids, customerInitiated: boolean): Decision {
  const { plan, anchor, anchorDay, series, nextAt } = at.subscription;
  const { period, number, whole } = firstPeriod({ anchor, anchorDay, interval: plan.interval }, nextAt ?? at.now);
  const onPaid: Changes = { status: 'active', period, periodNumber: number, nextAt: period.end };
  const what = periodBill(plan, series, period, priceOf(plan.amount, period, whole));
  return bill(at, ids, what, { purpose: 'open', customerInitiated, event: 'started', now: {}, onPaid });
}

function renew(at: Snapshot, ids: Ids): Decision {
  const { plan, anchor, anchorDay, series, periodNumber } = at.subscription;
  const { period, number } = numbered({ anchor, anchorDay, interval: plan.interval }, periodNumber + 1);
  const begun: Changes = { period, periodNumber: number, nextAt: period.end };
  const how = { purpose: 'period', customerInitiated: false, event: 'renewed', now: begun, onPaid: {} } as const;
  return bill(at, ids, periodBill(plan, series, period), how);
}

/** Ends it. What is not paid is void, and its credit returns; the cards are forgotten. */
export function cancelled(at: Snapshot): Decision {
  const changes: Changes = {
    ...{ status: 'cancelled', period: null, cancelAtPeriodEnd: false, nextAt: null },
    // A failure of one that is cancelled is why it never started.
    ...{ card: null, backupCard: null, failure: null },
  };
  return replacing({ changes, records: [], mail: null, event: 'cancelled' }, at, at.unsettled);
}
