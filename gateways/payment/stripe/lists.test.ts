/** What was made at Stripe in a window. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListedPage } from '../gateway.js';
import { intent, list, refund, type ScriptedStripe, scriptedStripe } from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());

const window = { from: '2025-11-24T00:00:00.500Z', to: '2025-11-25T00:00:00.500Z' };

describe('the lists of a window', () => {
  test('are those of payments, refunds and disputes, each by its own time, page by page', async () => {
    const dispute = { id: 'dp_1', object: 'dispute', amount: 700, currency: 'usd', created: 1_764_000_000 };
    const more = {
      reason: 'fraudulent',
      status: 'needs_response',
      is_charge_refundable: false,
      payment_intent: 'pi_3',
    };
    stripe.answer(
      { body: { data: [intent('succeeded'), intent('requires_confirmation', { id: 'pi_2' })], has_more: true } },
      list(intent('requires_capture', { id: 'pi_3' })),
      list(refund('succeeded', { payment_intent: 'pi_1' }), refund('succeeded', { id: 're_2' })),
      list({ ...dispute, ...more }),
    );
    const pages: ListedPage[] = [];
    let cursor: string | null = null;
    do {
      const page: ListedPage = await stripe.payments.list({ ...window, cursor });
      pages.push(page);
      ({ cursor } = page);
    } while (cursor !== null);
    const { sent } = stripe;
    expect(sent.map(({ line }) => line)).toEqual([
      ...[
        'GET /stripe/v1/payment_intents',
        'GET /stripe/v1/payment_intents',
        'GET /stripe/v1/refunds',
        'GET /stripe/v1/disputes',
      ],
    ]);
    const created = { 'created[gte]': '1763942400', 'created[lt]': '1764028801', limit: '25' };
    for (const { params } of sent) expect(params).toMatchObject(created);
    // Whatever it lists last, also what was never confirmed.
    expect(sent[1]?.params).toMatchObject({ starting_after: 'pi_2' });
    expect(pages.flatMap(({ payments }) => payments.map(({ authorizationId }) => authorizationId))).toEqual([
      ...['pi_1', 'pi_3'],
    ]);
    expect(pages.flatMap(({ refunds }) => refunds)).toMatchObject([
      { authorizationId: 'pi_1', providerReference: 're_1', amount: 500 },
    ]);
    expect(pages.flatMap(({ disputes }) => disputes)).toMatchObject([
      { authorizationId: 'pi_3', providerReference: 'dp_1', status: 'open' },
    ]);
  });

  test.each([
    ['us', { installation: 'here', paymentId: 'pay_1', card: 'backup' }, { paymentId: 'pay_1', card: 'backup' }],
    ['us', { installation: 'here', paymentId: 'none of ours', card: 'third' }, { paymentId: null, card: null }],
    ['others', { installation: 'elsewhere', paymentId: 'pay_1', card: 'primary' }, { paymentId: null, card: null }],
    ['unknown', { reference: 'ord_1' }, { paymentId: null, card: null, reference: 'ord_1' }],
  ])('name who has made a payment: %s', async (madeBy, metadata, named) => {
    stripe.answer(list(intent('succeeded', { metadata })));
    const { payments } = await stripe.payments.list({ ...window, cursor: null });
    expect(payments).toMatchObject([{ madeBy, ...named, currency: 'USD', createdAt: '2025-11-24T16:00:00.000Z' }]);
  });

  test.each([
    ['automatic', true],
    ['requested_by_customer', false],
  ])('tell what Stripe itself has cancelled: %s', async (cancellation_reason, expired) => {
    stripe.answer(list(intent('canceled', { cancellation_reason })));
    const { payments } = await stripe.payments.list({ ...window, cursor: null });
    expect(payments).toMatchObject([{ status: 'voided', expired }]);
  });

  test('leave out what Stripe is still deciding', async () => {
    stripe.answer(list(intent('processing'), intent('succeeded', { id: 'pi_2' })));
    const { payments } = await stripe.payments.list({ ...window, cursor: null });
    expect(payments.map(({ authorizationId }) => authorizationId)).toEqual(['pi_2']);
  });
});
