/** What begins a charge: a record of what is to be paid, less the credit that covers it. */
import type { BillingKind, BillingLine, Period, Plan } from './states.js';
import {
  type BillingRecord,
  type Changes,
  type ChargePurpose,
  type Decision,
  type Ids,
  type PendingCharge,
  type Snapshot,
  secondsOf,
} from './subscription.js';

/** What is billed. `amount` below 0 becomes credit. */
export interface Bill {
  readonly kind: BillingKind;
  readonly series: number;
  readonly period: Period;
  readonly amount: number;
  readonly lines: readonly BillingLine[];
}

interface Billing {
  readonly purpose: ChargePurpose;
  readonly customerInitiated: boolean;
  readonly event: string;
  /** Changes at once, whatever becomes of the charge. */
  readonly now: Changes;
  /** Changes once it is paid. */
  readonly onPaid: Changes;
}

/** Bills: at once where credit covers it, else by a charge that begins with this decision. */
export function bill({ subscription, now }: Snapshot, ids: Ids, what: Bill, how: Billing): Decision {
  const { id, version, creditBalance } = subscription;
  const cause = `${id}/${version}`;
  const credit = what.amount > 0 ? Math.min(creditBalance, what.amount) : what.amount;
  const charged = what.amount - credit;
  const record: BillingRecord = {
    ...what,
    id: ids.record(cause),
    credit,
    charged,
    paymentId: charged > 0 ? ids.payment(cause) : null,
    status: charged > 0 ? 'open' : 'paid',
    attempts: charged > 0 ? 1 : 0,
    createdAt: now,
  };
  const left = { ...how.now, creditBalance: creditBalance - credit };
  if (record.paymentId === null)
    return { changes: { ...left, ...how.onPaid, pending: null }, records: [record], mail: null, event: how.event };
  const { purpose, customerInitiated, onPaid } = how;
  const pending: PendingCharge = {
    purpose,
    recordId: record.id,
    paymentId: record.paymentId,
    customerInitiated,
    onPaid,
  };
  return { changes: { ...left, pending }, records: [record], mail: null, event: how.event };
}

/** Tries the card again for a record of the period. */
export function attempt({ subscription }: Snapshot, ids: Ids, record: BillingRecord): Decision {
  const paymentId = ids.payment(`${subscription.id}/${subscription.version}`);
  const pending: PendingCharge = {
    ...{ purpose: 'period', recordId: record.id, paymentId },
    ...{ customerInitiated: false, onPaid: {} },
  };
  const nextAt = subscription.period?.end ?? null;
  return {
    changes: { pending, nextAt },
    records: [{ ...record, paymentId, attempts: record.attempts + 1 }],
    mail: null,
    event: 'attempted',
  };
}

/** With what it replaces void: its credit returns. */
export function replacing(
  decision: Decision,
  { subscription }: Snapshot,
  replaced: readonly BillingRecord[],
): Decision {
  const { creditBalance = subscription.creditBalance } = decision.changes;
  const credit = replaced.reduce((sum, record) => sum + record.credit, 0);
  const voided = replaced.map((record) => ({ ...record, status: 'void' as const }));
  return {
    ...decision,
    changes: { ...decision.changes, creditBalance: creditBalance + credit },
    records: [...decision.records, ...voided],
  };
}

/** The bill of a period at its full price. */
export function periodBill(plan: Plan, series: number, period: Period, amount = plan.amount): Bill {
  const line = { description: describePlan(plan), from: period.start, to: period.end, amount };
  return { kind: 'period', series, period, amount, lines: [line] };
}

/** The record of the period that waits for a payment; null: it is paid. */
export function unpaidOf({ subscription, unsettled }: Snapshot): BillingRecord | null {
  const { period, series } = subscription;
  const isOf = (record: BillingRecord) =>
    record.kind === 'period' && record.series === series && record.period.start === period?.start;
  return unsettled.find(isOf) ?? null;
}

export function isDue({ subscription: { nextAt, pending }, now }: Snapshot): boolean {
  return pending === null && nextAt !== null && secondsOf(nextAt) <= secondsOf(now);
}

export function describePlan({ interval }: Plan): string {
  return `Subscription for a ${interval}`;
}
