/** What each answer of Stripe to a refund means. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { list, operation, refund, type ScriptedStripe, scriptedStripe, stripeError } from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());
const lines = () => stripe.sent.map(({ line }) => line);
const keys = () => stripe.sent.map(({ key }) => key);

const refundCall = {
  refundId: 'rfd_1',
  attempt: 2,
  paymentId: 'pay_1',
  authorizationId: 'pi_1',
  amount: 500,
  currency: 'USD',
};

describe('refunds', () => {
  test('a refund has its own key, and its id in the metadata', async () => {
    stripe.answer({ body: refund('succeeded') });
    expect(await stripe.payments.refund(refundCall)).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    expect(stripe.sent).toMatchObject([
      {
        line: 'POST /stripe/v1/refunds',
        key: 'rfd_1/2',
        params: {
          payment_intent: 'pi_1',
          amount: '500',
          'metadata[installation]': 'here',
          'metadata[paymentId]': 'pay_1',
          'metadata[refundId]': 'rfd_1',
          'metadata[attempt]': '2',
        },
      },
    ]);
  });

  test.each([
    [{ body: refund('pending') }, { kind: 'pending', providerReference: 're_1' }],
    [{ body: refund('requires_action') }, { kind: 'pending', providerReference: 're_1' }],
    [
      { body: refund('failed', { failure_reason: 'expired_or_canceled_card' }) },
      { kind: 'failed', providerReference: 're_1', code: 'expired_or_canceled_card', detail: 'the refund is failed' },
    ],
    [stripeError(400, { code: 'charge_already_refunded' }), { kind: 'over_refund' }],
    [stripeError(400, { param: 'amount' }), { kind: 'over_refund' }],
    [stripeError(400, { code: 'charge_disputed' }), { kind: 'disputed' }],
    [stripeError(400, { code: 'refund_disputed_payment' }), { kind: 'disputed' }],
    [
      stripeError(400, { code: 'insufficient_funds' }),
      {
        kind: 'failed',
        providerReference: null,
        code: 'insufficient_funds',
        detail: 'Stripe refused the refund: insufficient_funds',
      },
    ],
  ])('the answer %o is %o', async (script, answer) => {
    stripe.answer(script);
    expect(await stripe.payments.refund(refundCall)).toEqual(answer);
    expect(stripe.sent).toHaveLength(1);
  });

  test('a refund in doubt is found by its id and attempt', async () => {
    const ours = refund('succeeded', { id: 're_2', metadata: { refundId: 'rfd_1', attempt: '2' } });
    const before = refund('failed', { metadata: { refundId: 'rfd_1', attempt: '1' } });
    stripe.answer(list(ours, before));
    expect(await stripe.payments.findRefund(refundCall)).toEqual({ kind: 'succeeded', providerReference: 're_2' });
    stripe.answer(list(before));
    expect(await stripe.payments.findRefund(refundCall)).toBeNull();
  });

  test('after a stored error the refund is looked up before another key is used', async () => {
    const stored = stripeError(500, { type: 'api_error' }, true);
    const ours = refund('succeeded', { metadata: { refundId: 'rfd_1', attempt: '2' } });
    stripe.answer(stored, list(ours));
    expect(await stripe.payments.refund(refundCall)).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    expect(lines()).toEqual(['POST /stripe/v1/refunds', 'GET /stripe/v1/refunds']);
    stripe.answer(stored, list(), { body: refund('succeeded') });
    await stripe.payments.refund(refundCall);
    expect(keys()).toEqual(['rfd_1/2', undefined, 'rfd_1/2/2']);
  });

  test('the undo of a charge is no refund of ours, and a failed one is made again', async () => {
    stripe.answer({ body: refund('failed'), replayed: true }, { body: refund('succeeded') });
    expect(await stripe.payments.undoCapture(operation, 'pi_1', 1999)).toEqual({ kind: 'returned' });
    expect(keys()).toEqual(['pay_1/primary/refund', 'pay_1/primary/refund/2']);
    expect(stripe.sent[0]?.params).not.toHaveProperty('metadata[refundId]');
  });
});
