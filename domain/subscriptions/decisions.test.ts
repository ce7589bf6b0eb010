/** Any sequence of commands, refusals and time, decided as the steps decide it and kept in memory as the store keeps it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PaymentAttempt } from '../payments/states.js';
import { cancel, change, type Decided, pause, replaceCard, resume } from './commands.js';
import { due } from './due.js';
import { open } from './opening.js';
import { type Charged, settle } from './settle.js';
import { type Plan, planIntervals, subscriptionTransitions } from './states.js';
import {
  type BillingRecord,
  type Decision,
  type Ids,
  instantOf,
  type Snapshot,
  type Subscription,
  secondsOf,
} from './subscription.js';

const begin = secondsOf('2027-01-31T10:00:00Z');
const waits = [3600, 7200];
const ids: Ids = { record: (cause) => `bil/${cause}`, payment: (cause) => `pay/${cause}` };

type Card = 'pays' | 'declines' | 'is lost' | 'stopped';
type Action =
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'card'; readonly card: Card }
  | { readonly kind: 'change'; readonly plan: Plan }
  | { readonly kind: 'cancel'; readonly atPeriodEnd: boolean }
  | { readonly kind: 'pause' | 'resume' | 'replace' };

/** What a store holds of one subscription, and what its card has paid. */
class Ledger {
  subscription: Subscription;
  readonly records = new Map<string, BillingRecord>();
  now = begin;
  card: Card = 'pays';
  captured = 0;

  constructor(anchorDay: number | null, plan: Plan) {
    const { subscription, decision } = open(
      {
        ...{ subscriptionId: 'sub_1', key: 'open', actor: 'test', traceId: '', anchorDay, plan },
        ...{ requestedAt: instantOf(begin), customerId: 'cus_1', email: null, gateway: 'sandbox', startAt: null },
        ...{ card: { token: 'tok_1', customer: null }, backupCard: null, testClock: null, refusal: null },
      },
      instantOf(begin),
      ids,
    );
    this.subscription = subscription;
    this.write(decision);
    this.catchUp();
  }

  get at(): Snapshot {
    const unsettled = [...this.records.values()].filter(({ status }) => status === 'open' || status === 'failed');
    return { subscription: this.subscription, unsettled, now: instantOf(this.now) };
  }

  write({ changes, records }: Decision): void {
    const from = this.subscription.status;
    this.subscription = { ...this.subscription, ...changes, version: this.subscription.version + 1 };
    const to = this.subscription.status;
    if (to !== from) expect(subscriptionTransitions[from]).toContain(to);
    for (const record of records) this.records.set(record.id, record);
  }

  /** As the workflow: charges first, then what is due. */
  catchUp(): void {
    for (let steps = 0; ; steps++) {
      expect(steps).toBeLessThan(10_000);
      const decision = this.subscription.pending === null ? due(this.at, ids) : this.charge();
      if (decision === null) break;
      this.write(decision);
    }
    this.check();
  }

  charge(): Decision | null {
    const record = this.records.get(this.subscription.pending?.recordId ?? '');
    const decided = settle(this.at, this.outcome(), waits);
    if (this.card === 'pays') this.captured += record?.charged ?? 0;
    // A command stops one charge.
    if (this.card === 'stopped') this.card = 'pays';
    return decided;
  }

  outcome(): Charged {
    if (this.card === 'pays') return { kind: 'captured', attempts: [] };
    if (this.card === 'stopped') return { kind: 'stopped' };
    const code = this.card === 'is lost' ? 'lost_card' : 'generic_decline';
    const attempts: PaymentAttempt[] = [{ card: 'primary', outcome: 'declined', code, at: instantOf(this.now) }];
    return { kind: 'refused', failure: { code: 'payment_declined', detail: code }, attempts };
  }

  act(action: Action): void {
    if (action.kind === 'wait') {
      const until = this.now + action.seconds;
      for (let next = this.nextUntil(until); next !== null; next = this.nextUntil(until)) {
        this.now = Math.max(this.now, next);
        this.catchUp();
      }
      this.now = until;
      return;
    }
    if (action.kind === 'card') {
      this.card = action.card;
      return;
    }
    const decided = this.command(action);
    expect(decided.kind).not.toBe('busy');
    if (decided.kind === 'done') this.write(decided.decision);
    this.catchUp();
  }

  command(action: Exclude<Action, { kind: 'wait' | 'card' }>): Decided {
    if (action.kind === 'change') return change(this.at, ids, action.plan);
    if (action.kind === 'cancel') return cancel(this.at, action.atPeriodEnd);
    if (action.kind === 'pause') return pause(this.at);
    if (action.kind === 'resume') return resume(this.at, ids);
    return replaceCard(this.at, ids, { token: 'tok_2', customer: null }, null);
  }

  nextUntil(until: number): number | null {
    const { nextAt } = this.subscription;
    return nextAt !== null && secondsOf(nextAt) <= until ? secondsOf(nextAt) : null;
  }

  /** What always holds. */
  check(): void {
    const all = [...this.records.values()];
    const counted = all.filter(({ status }) => status !== 'void');
    for (const { amount, credit, charged, period } of all) {
      expect(amount).toBe(credit + charged);
      expect(charged).toBeGreaterThanOrEqual(0);
      expect(secondsOf(period.start)).toBeLessThan(secondsOf(period.end));
    }
    const balance = -counted.reduce((sum, { credit }) => sum + credit, 0);
    expect(this.subscription.creditBalance).toBe(balance === 0 ? 0 : balance);
    expect(balance).toBeGreaterThanOrEqual(0);
    const periods = counted
      .filter(({ kind }) => kind === 'period')
      .map(({ series, period }) => `${series}/${period.start}`);
    expect(new Set(periods).size).toBe(periods.length);
    const { status, period, card } = this.subscription;
    if (status === 'cancelled') expect(card).toBeNull();
    if (status === 'scheduled' || status === 'paused' || status === 'cancelled') expect(period).toBeNull();
    else expect(period).not.toBeNull();
  }
}

const plan = fc.record({
  amount: fc.integer({ min: 0, max: 9999 }),
  currency: fc.constant('USD' as const),
  interval: fc.constantFrom<Plan['interval']>('month', 'month', 'month', 'month', ...planIntervals),
});
const day = 86_400;
const wait = (most: number) =>
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: most }) });
const action = fc.oneof(
  { weight: 2, arbitrary: wait(40 * day) },
  { weight: 2, arbitrary: wait(10 * day) },
  { weight: 1, arbitrary: wait(7200) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('card' as const),
      card: fc.constantFrom<Card>('pays', 'pays', 'declines', 'is lost', 'stopped'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('change' as const), plan }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), atPeriodEnd: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const, 'replace' as const) }),
  },
);

describe('whatever commands come and whatever the card does', () => {
  test('records add up to what was captured and to the credit, periods are billed once, and every transition is allowed', () => {
    fc.assert(
      fc.property(
        plan,
        fc.option(fc.integer({ min: 1, max: 31 })),
        fc.array(action, { maxLength: 25 }),
        (first, anchorDay, actions) => {
          const ofMonth = first.interval === 'month' || first.interval === 'year';
          const ledger = new Ledger(ofMonth ? anchorDay : null, first);
          for (const each of actions) ledger.act(each);
          const paid = [...ledger.records.values()].filter(({ status }) => status === 'paid');
          expect(ledger.captured).toBe(paid.reduce((sum, { charged }) => sum + charged, 0));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('the paid periods of a series have no gap and no overlap', () => {
    fc.assert(
      fc.property(plan, fc.array(action, { maxLength: 25 }), (first, actions) => {
        const ledger = new Ledger(null, first);
        for (const each of actions) ledger.act(each);
        const spans = [...ledger.records.values()]
          .filter(({ kind, status }) => kind === 'period' && status === 'paid')
          .sort((a, b) => a.series - b.series || secondsOf(a.period.start) - secondsOf(b.period.start));
        for (const [index, next] of spans.slice(1).entries()) {
          const before = spans[index];
          if (before?.series === next.series) expect(next.period.start).toBe(before.period.end);
        }
      }),
      { numRuns: 100 },
    );
  });
});
