/** The books of a payment at Stripe, and what has changed there. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChangesPage } from '../gateway.js';
import { intent, list, refund, type ScriptedStripe, scriptedStripe, stripeError } from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());

describe('the books', () => {
  const dispute = (status: string, refundable: boolean) => ({
    id: `dp_${status}`,
    object: 'dispute',
    amount: 700,
    currency: 'usd',
    created: 1_764_000_000,
    reason: 'fraudulent',
    status,
    is_charge_refundable: refundable,
  });

  test('hold refunds and disputes; what failed is not refunded', async () => {
    const ours = refund('succeeded', { metadata: { refundId: 'rfd_1', attempt: '1' } });
    const failed = refund('failed', { id: 're_2', failure_reason: 'expired_or_canceled_card' });
    const pending = refund('pending', { id: 're_3', amount: 100 });
    stripe.answer({ body: intent('succeeded') }, list(pending, failed, ours), list(dispute('needs_response', false)));
    expect(await stripe.payments.read('pi_1')).toMatchObject({
      authorizationId: 'pi_1',
      status: 'captured',
      amount: 1999,
      captured: 1999,
      refunded: 600,
      refundable: false,
      refunds: [
        { providerReference: 're_3', refundId: null, status: 'pending', failure: null },
        { providerReference: 're_2', refundId: null, status: 'failed', failure: 'expired_or_canceled_card' },
        { providerReference: 're_1', refundId: 'rfd_1', status: 'succeeded', amount: 500 },
      ],
      disputes: [{ providerReference: 'dp_needs_response', amount: 700, currency: 'USD', status: 'open' }],
    });
  });

  test.each([
    ['warning_needs_response', true, 'inquiry', true],
    ['warning_under_review', false, 'inquiry', false],
    ['warning_closed', false, 'closed', true],
    ['under_review', false, 'open', false],
    ['won', false, 'won', true],
    // What it has left can be refunded.
    ['lost', false, 'lost', true],
    ['something_new', false, 'open', false],
  ])('a dispute that is %s (%s) counts as %s', async (theirs, chargeRefundable, status, refundable) => {
    stripe.answer({ body: intent('succeeded') }, list(), list(dispute(theirs, chargeRefundable)));
    expect(await stripe.payments.read('pi_1')).toMatchObject({ refundable, disputes: [{ status }] });
  });

  test('of a payment that was captured in part only that part counts as captured', async () => {
    stripe.answer({ body: intent('succeeded', { amount_received: 500 }) }, list(), list());
    expect(await stripe.payments.read('pi_1')).toMatchObject({ amount: 1999, captured: 500, refunded: 0 });
  });

  test('money that is released without having been captured is no refund', async () => {
    stripe.answer({ body: intent('canceled') });
    expect(await stripe.payments.read('pi_1')).toMatchObject({
      status: 'voided',
      captured: 0,
      refunded: 0,
      refunds: [],
    });
    expect(stripe.sent).toHaveLength(1);
  });

  test('of a payment that is unknown or was never confirmed there are none', async () => {
    stripe.answer(stripeError(404, { code: 'resource_missing', param: 'intent' }));
    expect(await stripe.payments.read('pi_9')).toBeNull();
    stripe.answer({ body: intent('requires_confirmation') });
    expect(await stripe.payments.read('pi_1')).toBeNull();
  });
});

describe('changes', () => {
  const event = (id: string, created: number, object: unknown, type = 'refund.updated') => ({
    id,
    created,
    type,
    data: { object },
  });

  test('come page by page, once each, without those of other installations; the next look begins at the end of the last page only', async () => {
    const since = '2025-11-24T16:00:00.000Z';
    const from = Date.parse(since) / 1000;
    const page = [
      event('evt_3', from + 300, { object: 'refund', payment_intent: 'pi_1' }),
      event(
        'evt_2',
        from + 200,
        { object: 'payment_intent', id: 'pi_2', metadata: { installation: 'elsewhere' } },
        'payment_intent.succeeded',
      ),
    ];
    stripe.answer({ body: { data: page, has_more: true } });
    const first = await stripe.payments.changes({ since, cursor: null });
    const paymentsOf = ({ events }: ChangesPage) => events.map(({ paymentIntentId }) => paymentIntentId);
    expect([paymentsOf(first), first.until]).toEqual([['pi_1', null], since]);
    expect(stripe.sent[0]?.params).toMatchObject({ 'created[gte]': String(from), limit: '25' });
    stripe.answer(
      list(event('evt_1', from + 100, { object: 'dispute', payment_intent: 'pi_3' }, 'charge.dispute.created')),
    );
    const last = await stripe.payments.changes({ since, cursor: first.cursor });
    expect(stripe.sent[0]?.params).toMatchObject({ starting_after: 'evt_2' });
    expect(paymentsOf(last)).toEqual(['pi_3']);
    expect(last).toMatchObject({ cursor: null, until: '2025-11-24T16:04:00.000Z' });
  });
});
