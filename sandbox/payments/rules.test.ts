/** The processor's rules over its books, with a clock of the test's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Books } from './books.js';
import { type Fact, fact, type MoneyRequest } from './facts.js';
import { closeOutcomes, decide, decideClose, decideDispute } from './rules.js';
import { viewOf } from './views.js';

const captured = 1000;
const tokens = ['tok_visa', 'tok_refund_fails', 'tok_refund_pending_50', 'tok_refund_fails_late_50'] as const;

const amount = fc.integer({ min: 1, max: captured + 1 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('refund' as const), amount }),
  fc.record({
    kind: fc.constant('dispute' as const),
    amount: fc.option(amount, { nil: undefined }),
    inquiry: fc.boolean(),
    refundable: fc.option(fc.boolean(), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('close' as const), which: fc.nat(5), outcome: fc.constantFrom(...closeOutcomes) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A captured payment, and everything that was booked about it. */
class Payment {
  readonly books = new Books();
  readonly facts: Fact[] = [];
  readonly authorizationId: string;
  private refunds = 0;
  now = 1_000_000;

  constructor(token: string) {
    const outcome = this.call('a', { kind: 'authorize', token, amount: captured, currency: 'USD', reference: 'r' });
    if (outcome.kind !== 'authorized') throw new Error(`not authorized: ${outcome.kind}`);
    this.authorizationId = outcome.authorizationId;
    this.call('c', { kind: 'capture', authorizationId: this.authorizationId, amount: captured });
  }

  take(taken: Step): void {
    const { authorizationId } = this;
    switch (taken.kind) {
      case 'refund':
        this.call(`r${this.refunds++}`, { kind: 'refund', authorizationId, amount: taken.amount });
        return;
      case 'dispute':
        this.dispute(taken);
        return;
      case 'close':
        this.close(taken.which, taken.outcome);
        return;
      case 'wait':
        this.now += taken.ms;
    }
  }

  /** @param books those of the payment, or others with the same facts */
  view(nowMs = this.now, books = this.books) {
    const authorization = books.authorization(this.authorizationId);
    if (!authorization) throw new Error('the authorization is gone');
    return viewOf(authorization, nowMs);
  }

  private dispute({ kind, ...request }: Extract<Step, { kind: 'dispute' }>): void {
    const authorization = this.books.authorization(this.authorizationId);
    if (!authorization) throw new Error('the authorization is gone');
    const { authorizationId } = this;
    const opened = decideDispute(authorization, { authorizationId, reason: 'fraudulent', ...request }, this.now);
    if (!('refused' in opened)) this.post({ type: 'dispute_opened', at: this.now, ...opened });
  }

  private close(which: number, outcome: (typeof closeOutcomes)[number]): void {
    const dispute = this.books.authorization(this.authorizationId)?.disputes[which];
    const decided = dispute && decideClose(dispute, outcome);
    if (dispute && decided && 'status' in decided)
      this.post({ type: 'dispute_closed', at: this.now, disputeId: dispute.disputeId, status: decided.status });
  }

  private call(key: string, request: MoneyRequest) {
    const outcome = decide(this.books, request, this.now);
    this.post({ key, at: this.now, request, outcome });
    return outcome;
  }

  private post(posted: Fact): void {
    this.facts.push(posted);
    this.books.post(posted);
  }
}

describe('the money of a payment', () => {
  it('is never returned twice, whatever refunds, disputes and failures follow each other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...tokens), fc.array(step, { maxLength: 30 }), (token, steps) => {
        const payment = new Payment(token);
        for (const taken of steps) {
          const before = payment.view();
          payment.take(taken);
          const after = payment.view();
          if (taken.kind === 'refund') expect(after.withdrawn).toBe(before.withdrawn);
          if (!before.refundable && taken.kind === 'refund') expect(after.refunds).toEqual(before.refunds);
          for (const later of [0, 25, 50, 1000]) {
            const { refunded, withdrawn } = payment.view(payment.now + later);
            expect(Math.min(refunded, withdrawn)).toBeGreaterThanOrEqual(0);
            expect(refunded + withdrawn).toBeLessThanOrEqual(captured);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same at every instant after a restart', () => {
    fc.assert(
      fc.property(fc.constantFrom(...tokens), fc.array(step, { maxLength: 30 }), (token, steps) => {
        const payment = new Payment(token);
        for (const taken of steps) payment.take(taken);
        const restarted = new Books();
        for (const line of payment.facts) restarted.post(fact.parse(JSON.parse(JSON.stringify(line))));
        for (const nowMs of [1_000_000, payment.now, payment.now + 25, payment.now + 1000])
          expect(payment.view(nowMs, restarted)).toEqual(payment.view(nowMs));
      }),
    );
  });

  it('can be returned in full by refunds that fail and are made again', () => {
    const payment = new Payment('tok_refund_fails_late_50');
    payment.take({ kind: 'refund', amount: captured });
    payment.take({ kind: 'refund', amount: 1 });
    expect(payment.view()).toMatchObject({ refunded: captured, refunds: [{ status: 'succeeded' }] });
    payment.take({ kind: 'wait', ms: 50 });
    expect(payment.view()).toMatchObject({ refunded: 0, refunds: [{ status: 'failed' }] });
    payment.take({ kind: 'refund', amount: captured });
    expect(payment.view()).toMatchObject({
      refunded: captured,
      refunds: [{ status: 'failed' }, { status: 'succeeded' }],
    });
  });
});

describe('a journal of the time before refunds and disputes were objects', () => {
  it('is read, with every refund as succeeded', () => {
    const lines = [
      '{"key":"k","at":1700000000000,"request":{"kind":"authorize","token":"tok_visa","amount":700,"currency":"EUR","reference":"r"},"outcome":{"kind":"authorized","authorizationId":"auth_1"}}',
      '{"key":"k/c","at":1700000000100,"request":{"kind":"capture","authorizationId":"auth_1","amount":700},"outcome":{"kind":"captured"}}',
      '{"key":"k/r","at":1700000000200,"request":{"kind":"refund","authorizationId":"auth_1","amount":200},"fault":true,"outcome":{"kind":"refunded","refundId":"re_1"}}',
      '{"key":"k/r","at":1700000000300}',
    ];
    const books = new Books();
    for (const line of lines) books.post(fact.parse(JSON.parse(line)));
    const authorization = books.authorization('auth_1');
    expect(authorization && viewOf(authorization, 1700000000200)).toMatchObject({
      captured: 700,
      refunded: 200,
      refundable: true,
      updatedAt: '2023-11-14T22:13:20.200Z',
      refunds: [{ refundId: 're_1', amount: 200, status: 'succeeded', failure: null, idempotencyKey: 'k/r' }],
      disputes: [],
    });
  });
});
