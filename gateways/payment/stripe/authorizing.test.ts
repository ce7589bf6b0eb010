/** What each answer of Stripe to an authorization means, against a server that counts the requests. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { intent, operation, type ScriptedStripe, scriptedStripe, stripeError } from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());
const lines = () => stripe.sent.map(({ line }) => line);
const keys = () => stripe.sent.map(({ key }) => key);

/** Stored ids, and how many requests had been sent when each was remembered. */
function storedIds(known: string | null = null) {
  const remembered: string[] = [];
  return {
    known,
    remembered,
    remember: async (id: string) => {
      remembered.push(`${id} after ${stripe.sent.length}`);
    },
  };
}

describe('authorizing', () => {
  test('a payment is created without taking money, its id is stored, and then it is confirmed', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    const stored = storedIds();
    expect(await stripe.payments.authorize(operation, stored)).toEqual({ kind: 'authorized', authorizationId: 'pi_1' });
    expect(stored.remembered).toEqual(['pi_1 after 1']);
    expect(lines()).toEqual(['POST /stripe/v1/payment_intents', 'POST /stripe/v1/payment_intents/pi_1/confirm']);
    expect(keys()).toEqual(['pay_1/primary/create', 'pay_1/primary/authorize']);
    const [created, confirmed] = stripe.sent;
    expect(created?.params).toEqual({
      amount: '1999',
      currency: 'usd',
      capture_method: 'manual',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      payment_method: 'pm_card_visa',
      'metadata[installation]': 'here',
      'metadata[paymentId]': 'pay_1',
      'metadata[card]': 'primary',
      'metadata[reference]': 'ord_1',
    });
    expect(confirmed?.params).toEqual({ error_on_requires_action: 'true' });
    expect(created?.headers).toMatchObject({
      'stripe-version': '2026-10-28.endive',
      authorization: 'Bearer sk_test_hidden',
    });
    expect(created?.headers).not.toHaveProperty('x-stripe-client-telemetry');
  });

  test('a token is made into a payment method first, under a key of its own, and the trace is passed on', async () => {
    const method = { id: 'pm_1', object: 'payment_method' };
    stripe.answer({ body: method }, { body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    const { traceparent } = operation;
    await stripe.payments.authorize({ ...operation, token: 'tok_visa' }, storedIds(), { traceparent });
    expect(lines()[0]).toBe('POST /stripe/v1/payment_methods');
    expect(keys()).toEqual(['pay_1/primary/method', 'pay_1/primary/create', 'pay_1/primary/authorize']);
    expect(stripe.sent[0]?.params).toEqual({ type: 'card', 'card[token]': 'tok_visa' });
    expect(stripe.sent[1]?.params).toMatchObject({ payment_method: 'pm_1' });
    expect(stripe.sent[2]?.headers.traceparent).toBe(traceparent);
  });

  test('a used token is refused for good: no payment is created', async () => {
    stripe.answer(stripeError(400, { code: 'token_already_used', param: 'card[token]' }));
    const stored = storedIds();
    expect(await stripe.payments.authorize({ ...operation, token: 'tok_visa' }, stored)).toMatchObject({
      ...{ kind: 'declined', declineCode: 'token_already_used' },
    });
    expect([stored.remembered, stripe.sent.length]).toEqual([[], 1]);
  });

  test('a payment whose id is stored is not created again', async () => {
    stripe.answer({ body: intent('requires_capture') });
    expect(await stripe.payments.authorize(operation, storedIds('pi_1'))).toMatchObject({ kind: 'authorized' });
    expect(lines()).toEqual(['POST /stripe/v1/payment_intents/pi_1/confirm']);
  });

  test('where the card was given up before its id could be stored, nothing is confirmed', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    const given = { known: null, remember: () => Promise.reject(new Error('given up')) };
    await expect(stripe.payments.authorize(operation, given)).rejects.toThrow('given up');
    expect(stripe.sent).toHaveLength(1);
  });

  test.each([
    [{ code: 'card_declined', decline_code: 'insufficient_funds' }, 'insufficient_funds', 'insufficient_funds'],
    [{ code: 'card_declined', decline_code: 'generic_decline' }, 'payment_declined', 'generic_decline'],
    [{ code: 'expired_card', decline_code: 'expired_card' }, 'payment_declined', 'expired_card'],
    [{ code: 'incorrect_cvc' }, 'payment_declined', 'incorrect_cvc'],
    [
      { code: 'authentication_required', decline_code: 'authentication_not_handled' },
      'payment_declined',
      'authentication_required',
    ],
    [{ code: 'card_declined', decline_code: 'authentication_required' }, 'payment_declined', 'authentication_required'],
    [{ code: 'requires_action_not_handled' }, 'payment_declined', 'authentication_required'],
  ])('a card error %o is %s with %s', async (error, code, declineCode) => {
    stripe.answer(stripeError(402, { type: 'card_error', ...error }));
    expect(await stripe.payments.authorize(operation, storedIds('pi_1'))).toEqual({
      kind: 'declined',
      code,
      declineCode,
    });
    expect(stripe.sent).toHaveLength(1);
  });

  test.each([
    { code: 'card_declined', decline_code: 'stolen_card' },
    { code: 'card_declined', decline_code: 'fraudulent' },
    { code: 'card_declined', decline_code: 'generic_decline', advice_code: 'do_not_try_again' },
  ])('a card error %o is a generic decline that is final', async (error) => {
    stripe.answer(stripeError(402, { type: 'card_error', ...error }));
    expect(await stripe.payments.authorize(operation, storedIds('pi_1'))).toEqual({
      ...{ kind: 'declined', code: 'payment_declined', declineCode: 'generic_decline', final: true },
    });
  });

  test.each([
    [400, 'amount_too_small'],
    [400, 'parameter_invalid_empty'],
    [404, 'resource_missing'],
  ])('a refused creation (%i %s) is final: nothing is stored and nothing is confirmed', async (status, code) => {
    stripe.answer(stripeError(status, { code, param: 'payment_method' }));
    const stored = storedIds();
    expect(await stripe.payments.authorize(operation, stored)).toEqual({
      kind: 'declined',
      code: 'payment_declined',
      declineCode: code,
    });
    expect(stored.remembered).toEqual([]);
    expect(stripe.sent).toHaveLength(1);
  });

  test('a confirmation that comes too late gets the answer of the first', async () => {
    stripe.answer(stripeError(400, { code: 'payment_intent_unexpected_state' }), { body: intent('requires_capture') });
    expect(await stripe.payments.authorize(operation, storedIds('pi_1'))).toMatchObject({ kind: 'authorized' });
    expect(lines()).toEqual(['POST /stripe/v1/payment_intents/pi_1/confirm', 'GET /stripe/v1/payment_intents/pi_1']);
  });

  test('a stored error is not asked for again: the next key follows', async () => {
    stripe.answer(stripeError(500, { type: 'api_error' }, true), { body: intent('requires_capture') });
    expect(await stripe.payments.authorize(operation, storedIds('pi_1'))).toMatchObject({ kind: 'authorized' });
    expect(keys()).toEqual(['pay_1/primary/authorize', 'pay_1/primary/authorize/2']);
  });
});
