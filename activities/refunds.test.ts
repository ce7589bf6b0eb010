/** Which calls about a refund look it up at the processor before they return money. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RefundAnswer, RefundOperation } from '../domain/payments/refunds.js';
import { refundActivities } from './refunds.js';

const place = vi.hoisted(() => ({ inTask: true }));
vi.mock('./context.js', () => ({
  isInWorkflowTask: () => place.inTask,
  attemptNumber: () => 1,
  callOptions: () => ({}),
}));

const hourMs = 3_600_000;
const operation: RefundOperation = {
  ...{ refundId: 'rfd_1', attempt: 0, gateway: 'stripe', paymentId: 'pay_1', authorizationId: 'pi_1' },
  ...{ amount: 400, currency: 'USD', traceparent: '', requestedAt: new Date().toISOString() },
};
const made: RefundAnswer = { kind: 'succeeded', providerReference: 're_1' };

/** A processor that has forgotten every idempotency key: each call to refund returns money. */
class Forgetful {
  readonly calls: string[] = [];

  constructor(private found: RefundAnswer | null) {}

  get activities() {
    const call = (what: string, answer: RefundAnswer | null) => {
      this.calls.push(what);
      return Promise.resolve(answer);
    };
    return refundActivities({
      store: { apply: () => Promise.reject(new Error('no step is due')) },
      gatewayOf: () => ({
        refund: async () => (await call('refund', made)) ?? made,
        findRefund: () => call('find', this.found),
      }),
      gatewayTimeoutSeconds: 1,
    });
  }
}

beforeEach(() => {
  place.inTask = true;
});

describe('a call to refund', () => {
  test('that nothing can have come before is made without a look-up', async () => {
    const processor = new Forgetful(null);
    expect(await processor.activities.refundPayment(operation, null)).toEqual(made);
    expect(processor.calls).toEqual(['refund']);
  });

  const { requestedAt: _, ...recorded } = operation;
  test.each<[string, RefundOperation, 'in a task' | 'outside']>([
    ['under a review, which may come days later', operation, 'outside'],
    [
      'of a workflow that was resumed after a day',
      { ...operation, requestedAt: new Date(Date.now() - 24 * hourMs).toISOString() },
      'in a task',
    ],
    ["of a person's retry", { ...operation, attempt: 1 }, 'in a task'],
    ['of a recorded history, which has no time', recorded, 'in a task'],
  ])('%s never returns money that was returned before', async (_what, asked, where) => {
    place.inTask = where === 'in a task';
    const processor = new Forgetful(made);
    expect(await processor.activities.refundPayment(asked, null)).toEqual(made);
    expect(processor.calls).toEqual(['find']);
    const unknown = new Forgetful(null);
    await unknown.activities.refundPayment(asked, null);
    expect(unknown.calls).toEqual(['find', 'refund']);
  });
});
