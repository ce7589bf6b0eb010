/** What is kept of a charge that was refused: cards that are not tried again, the failure, and the mail. */
import { describe, expect, test } from 'vitest';
import type { PaymentAttempt } from '../payments/states.js';
import { attempt } from './billing.js';
import { cancel, pause, replaceCard } from './commands.js';
import { finalCards } from './dunning.js';
import { settle } from './settle.js';
import type { BillingRecord, Decision, Snapshot, Subscription } from './subscription.js';

const now = '2027-02-01T00:00:00Z';
const ids = { record: (cause: string) => `bil/${cause}`, payment: (cause: string) => `pay/${cause}` };
const period = { start: now, end: '2027-03-01T00:00:00Z' };
const record: BillingRecord = {
  ...{ id: 'bil_1', kind: 'period', series: 0, period, amount: 900, credit: 0, charged: 900, paymentId: 'pay_1' },
  ...{ status: 'open', attempts: 1, lines: [], createdAt: now },
};
const subscription: Subscription = {
  ...{ id: 'sub_1', status: 'active', customerId: 'cus_1', email: null, gateway: 'sandbox', anchor: now },
  ...{ plan: { amount: 900, currency: 'USD', interval: 'month' }, anchorDay: null, period, periodNumber: 1, series: 0 },
  ...{ card: { token: 'tok_1', customer: 'c_1' }, backupCard: { token: 'tok_2', customer: 'c_1' } },
  ...{ cancelAtPeriodEnd: false, creditBalance: 0, testClock: null, nextAt: period.end, version: 3, failure: null },
  pending: { purpose: 'period', recordId: 'bil_1', paymentId: 'pay_1', customerInitiated: false, onPaid: {} },
  createdAt: now,
};

const tried = (card: PaymentAttempt['card'], code: string | null): PaymentAttempt => ({
  ...{ card, outcome: code === null ? 'captured' : 'declined', code, at: now },
});
const renewal = (of: Subscription, unsettled = [record]): Snapshot => ({ subscription: of, unsettled, now });

/** The subscription after a refused attempt at the renewal. */
function refuse(of: Subscription, attempts: readonly PaymentAttempt[], waits = [3600, 3600]): Decision {
  const failure = { code: 'payment_declined', detail: 'declined' };
  const decision = settle(renewal(of), { kind: 'refused', failure, attempts }, waits);
  if (decision === null) throw new Error('nothing was being charged');
  return decision;
}
const then = (of: Subscription, { changes }: Decision): Subscription => ({ ...of, ...changes });

describe('a card that was declined for good', () => {
  test('is left out of the next attempts, while the other one is tried', () => {
    const decision = refuse(subscription, [tried('primary', 'lost_card'), tried('backup', 'generic_decline')]);
    expect(decision.changes).toMatchObject({ status: 'past_due' });
    const kept = then(subscription, decision);
    expect(finalCards(kept)).toEqual(['primary']);
    const again = then(kept, attempt(renewal(kept), ids, { ...record, status: 'failed' }));
    expect(finalCards(again)).toEqual(['primary']);
    const last = refuse(again, [tried('backup', 'stolen_card')]);
    expect(last.changes).toMatchObject({ status: 'unpaid', card: { final: true }, backupCard: { final: true } });
  });

  test('is left out too where the other one has paid', () => {
    const attempts = [tried('primary', 'lost_card'), tried('backup', null)];
    const decision = settle(renewal(subscription), { kind: 'captured', attempts }, []);
    expect(decision && finalCards(then(subscription, decision))).toEqual(['primary']);
  });

  test('is forgotten when it is replaced', () => {
    const decision = refuse(subscription, [tried('primary', 'lost_card'), tried('backup', 'generic_decline')]);
    const kept = then(subscription, decision);
    const replaced = replaceCard(renewal(kept, []), ids, { token: 'tok_3', customer: 'c_1' }, null);
    expect(replaced.kind === 'done' && finalCards(then(kept, replaced.decision))).toEqual([]);
  });
});

describe('a subscription that was past due', () => {
  const late = then(subscription, refuse(subscription, [tried('primary', 'generic_decline')]));
  const failed = [{ ...record, status: 'failed' as const }];

  test('and is cancelled by its customer has no failure: only one that never started has', () => {
    expect(late.failure).not.toBeNull();
    expect(cancel(renewal(late, failed), false)).toMatchObject({ decision: { changes: { failure: null } } });
  });

  test('is told of another attempt only where there will be one', () => {
    expect(refuse(subscription, [tried('primary', 'generic_decline')]).mail).toBe('past_due');
    expect(refuse(subscription, [tried('primary', 'generic_decline')], [40 * 86_400]).mail).toBe('past_due_until_end');
  });
});

test('a pause waits for a first charge that is under way', () => {
  const opening: Subscription = { ...subscription, status: 'scheduled', period: null };
  expect(pause(renewal(opening)).kind).toBe('busy');
  expect(pause(renewal({ ...opening, pending: null }, [])).kind).toBe('refused');
});
