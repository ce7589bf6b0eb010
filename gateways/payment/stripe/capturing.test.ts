/** What each answer of Stripe to a capture or a cancellation means. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { intent, operation, type ScriptedStripe, scriptedStripe, stripeError } from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());

describe('capturing and giving up', () => {
  const state = stripeError(400, { code: 'payment_intent_unexpected_state' });

  test('the whole amount is captured, once', async () => {
    stripe.answer({ body: intent('succeeded') });
    expect(await stripe.payments.capture(operation, 'pi_1')).toEqual({ kind: 'captured' });
    expect(stripe.sent).toMatchObject([{ key: 'pay_1/primary/capture', params: { amount_to_capture: '1999' } }]);
  });

  test.each([
    ['was captured before', [state, { body: intent('succeeded') }], { kind: 'captured' }],
    [
      'was captured in part, in the pages of Stripe,',
      [state, { body: intent('succeeded', { amount_received: 500 }) }],
      { kind: 'declined', code: 'payment_declined', declineCode: 'captured_in_part' },
    ],
    [
      'was voided',
      [state, { body: intent('canceled') }],
      { kind: 'declined', code: 'payment_declined', declineCode: 'authorization_voided' },
    ],
    [
      'was given back by Stripe in time',
      [state, { body: intent('canceled', { cancellation_reason: 'automatic' }) }],
      { kind: 'declined', code: 'payment_declined', declineCode: 'charge_expired_for_capture' },
    ],
    [
      'has expired',
      [stripeError(400, { code: 'charge_expired_for_capture' })],
      { kind: 'declined', code: 'payment_declined', declineCode: 'charge_expired_for_capture' },
    ],
    [
      'has a stored refusal that no longer fits',
      [{ ...state, replayed: true }, { body: intent('requires_capture') }, { body: intent('succeeded') }],
      { kind: 'captured' },
    ],
  ])('an authorization that %s is answered as it stands', async (_name, scripts, answer) => {
    stripe.answer(...scripts);
    expect(await stripe.payments.capture(operation, 'pi_1')).toEqual(answer);
    expect(stripe.sent).toHaveLength(scripts.length);
  });

  test('a void is a cancellation; one that comes too late says so', async () => {
    stripe.answer({ body: intent('canceled') });
    expect(await stripe.payments.void(operation, 'pi_1')).toEqual({ kind: 'voided' });
    expect(stripe.sent).toMatchObject([
      { line: 'POST /stripe/v1/payment_intents/pi_1/cancel', key: 'pay_1/primary/void' },
    ]);
    stripe.answer(state, { body: intent('succeeded') });
    expect(await stripe.payments.cancel?.(operation, 'pi_1')).toEqual({ kind: 'captured' });
    stripe.answer(state, { body: intent('canceled') });
    expect(await stripe.payments.void(operation, 'pi_1')).toEqual({ kind: 'voided' });
  });
});
