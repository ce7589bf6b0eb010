/** What follows from a charge that is decided. */
import type { PaymentAttempt } from '../payments/states.js';
import { replacing } from './billing.js';
import { cardsAfter, isFinal, needsAuthentication, nextAttempt } from './dunning.js';
import type { SubscriptionMail } from './states.js';
import type { BillingRecord, Changes, Decision, Failure, PendingCharge, Snapshot } from './subscription.js';

/** How a charge ended. `stopped`: a command to cancel or pause came before the capture. */
export type Charged =
  | { readonly kind: 'captured'; readonly attempts: readonly PaymentAttempt[] }
  | { readonly kind: 'refused'; readonly failure: Failure; readonly attempts: readonly PaymentAttempt[] }
  | { readonly kind: 'stopped' };

/** @param waits seconds before each further attempt at a renewal */
export function settle(at: Snapshot, charged: Charged, waits: readonly number[]): Decision | null {
  const { pending } = at.subscription;
  const record = at.unsettled.find(({ id }) => id === pending?.recordId);
  if (pending === null || record === undefined) return null;
  if (charged.kind === 'captured') return paid(at, pending, record, charged.attempts);
  if (charged.kind === 'stopped') return stopped(at, pending, record);
  if (pending.purpose === 'open') return neverStarted(record, charged.failure);
  if (pending.purpose === 'period') return refused(at, record, charged, waits);
  // Nothing changes but that the attempt is known, and cards that were declined for good.
  const undone = voided(at, record);
  const changes = { ...undone.changes, ...cardsAfter(at.subscription, charged.attempts) };
  return { ...undone, changes, event: `${pending.purpose}_refused` };
}

function paid(
  at: Snapshot,
  { purpose, onPaid }: PendingCharge,
  record: BillingRecord,
  attempts: readonly PaymentAttempt[],
): Decision {
  const { subscription, unsettled } = at;
  const nextAt = subscription.period?.end ?? null;
  const changes: Changes = {
    ...(purpose === 'period' && { status: 'active', nextAt }),
    ...onPaid,
    ...cardsAfter(subscription, attempts),
    pending: null,
    failure: null,
  };
  const settled: BillingRecord = { ...record, status: 'paid' };
  const decision: Decision = {
    changes,
    records: [settled],
    mail: null,
    event: purpose === 'resume' ? 'resumed' : 'paid',
  };
  // A resumption replaces the period that was not paid.
  return purpose === 'resume'
    ? replacing(
        decision,
        at,
        unsettled.filter(({ id }) => id !== record.id),
      )
    : decision;
}

/** The command that stopped it comes next. Where it never comes, since its workflow was lost, the card is tried again. */
function stopped(at: Snapshot, { purpose }: PendingCharge, record: BillingRecord): Decision {
  if (purpose === 'period')
    return { changes: { pending: null, nextAt: at.now }, records: [], mail: null, event: 'stopped' };
  const undone = voided(at, record);
  const changes = { ...undone.changes, ...(purpose === 'open' && { nextAt: at.now }) };
  return { ...undone, changes, event: 'stopped' };
}

function voided({ subscription }: Snapshot, record: BillingRecord): Omit<Decision, 'event'> {
  const changes = { pending: null, creditBalance: subscription.creditBalance + record.credit };
  return { changes, records: [{ ...record, status: 'void' }], mail: null };
}

function neverStarted(record: BillingRecord, failure: Failure): Decision {
  const changes: Changes = { status: 'cancelled', pending: null, nextAt: null, card: null, backupCard: null, failure };
  return { changes, records: [{ ...record, status: 'failed' }], mail: null, event: 'refused' };
}

/** A renewal: tried again, or given up. */
function refused(
  { subscription, now }: Snapshot,
  record: BillingRecord,
  { failure, attempts }: Extract<Charged, { kind: 'refused' }>,
  waits: readonly number[],
): Decision {
  const { status, period, cancelAtPeriodEnd } = subscription;
  const end = period?.end ?? now;
  const next = isFinal(attempts) ? null : nextAttempt(waits, record.attempts, now, end);
  const records: BillingRecord[] = [{ ...record, status: 'failed' }];
  const cards = cardsAfter(subscription, attempts);
  if (next === null || status === 'unpaid') {
    const nextAt = cancelAtPeriodEnd ? end : null;
    const changes: Changes = { ...cards, status: 'unpaid', pending: null, nextAt, failure };
    const mail: SubscriptionMail = needsAuthentication(attempts) ? 'authentication_required' : 'unpaid';
    return { changes, records, mail: status === 'unpaid' ? null : mail, event: 'unpaid' };
  }
  const nextAt = next === 'never' ? end : next;
  const mail = next === 'never' ? 'past_due_until_end' : 'past_due';
  const changes: Changes = { ...cards, status: 'past_due', pending: null, nextAt, failure };
  return { changes, records, mail: status === 'active' ? mail : null, event: 'past_due' };
}
