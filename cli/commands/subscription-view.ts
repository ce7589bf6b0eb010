/** How subscriptions and their billing records look on a terminal. */
import { formatMoney } from '../../domain/money.js';
import { fields, moment, table } from '../terminal/output.js';
import type { Resource } from '../terminal/session.js';
import { moreLine } from './options.js';

type Subscription = Resource<'subscription'>;

export function describeSubscription(found: Subscription): string {
  const { plan, currentPeriod, cancelAtPeriodEnd, creditBalance } = found;
  return fields([
    ['subscription', found.id],
    ['status', found.status],
    ['customer', found.customerId],
    ['plan', planText(found)],
    ['period', currentPeriod && `${moment(currentPeriod.start)} to ${moment(currentPeriod.end)}`],
    ['anchor', moment(found.anchor)],
    ['ends', cancelAtPeriodEnd ? 'with its period' : null],
    ['credit', creditBalance === 0 ? null : formatMoney({ amount: creditBalance, currency: plan.currency })],
    ['test clock', found.testClock],
    ['failure', found.failure && `${found.failure.code}: ${found.failure.detail}`],
    ['created', moment(found.createdAt)],
  ]);
}

export function describeChange(found: Resource<'changedSubscription'>): string {
  const { proration, plan } = found;
  const money = (amount: number) => formatMoney({ amount, currency: plan.currency });
  if (proration === null) return describeSubscription(found);
  const { credit, charge, net } = proration;
  const difference = fields([
    ['old plan', `${money(credit)} credited`],
    ['new plan', `${money(charge)} charged`],
    ['difference', net < 0 ? `${money(-net)} kept as credit` : `${money(net)} to pay`],
  ]);
  return describeSubscription(found) + difference;
}

export function listSubscriptions({ items, nextCursor }: Resource<'subscriptionPage'>): string {
  const columns = [
    { title: 'SUBSCRIPTION' },
    { title: 'STATUS' },
    { title: 'CUSTOMER' },
    { title: 'PLAN', align: 'right' as const },
    { title: 'PERIOD ENDS' },
    { title: 'CREATED' },
  ];
  const rows = items.map((found) => [
    ...[found.id, found.status, found.customerId, planText(found)],
    ...[found.currentPeriod && moment(found.currentPeriod.end), moment(found.createdAt)],
  ]);
  return table(columns, rows) + moreLine(nextCursor);
}

/** Amounts are in minor units: the subscription has the currency. */
export function listRecords({ items, nextCursor }: Resource<'billingRecordPage'>): string {
  const columns = [
    { title: 'RECORD' },
    { title: 'KIND' },
    { title: 'STATUS' },
    { title: 'FROM' },
    { title: 'TO' },
    { title: 'AMOUNT', align: 'right' as const },
    { title: 'CREDIT', align: 'right' as const },
    { title: 'CHARGED', align: 'right' as const },
    { title: 'ATTEMPTS', align: 'right' as const },
    { title: 'PAYMENT' },
  ];
  const rows = items.map((found) => [
    ...[found.id, found.kind, found.status, moment(found.period.start), moment(found.period.end)],
    ...[found.amount, found.credit, found.charged, found.attempts, found.paymentId],
  ]);
  return table(columns, rows) + moreLine(nextCursor);
}

function planText({ plan }: Pick<Subscription, 'plan'>): string {
  return `${formatMoney(plan)}/${plan.interval}`;
}
