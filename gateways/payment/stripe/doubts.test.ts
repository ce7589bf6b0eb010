/** Calls to Stripe without a definite answer, and how they are settled. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayFault } from '../../http/fault.js';
import {
  failureOf,
  intent,
  knowing,
  operation,
  type ScriptedStripe,
  scriptedStripe,
  secret,
  stripeError,
} from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());
const lines = () => stripe.sent.map(({ line }) => line);

describe('a doubt', () => {
  test.each([
    ['is not repeated after a connection that was lost', 'reset', 'no_answer'],
    ['ends at the deadline', 'silence', 'no_answer'],
    ['ends at the deadline, however often a byte arrives', 'drip', 'no_answer'],
    ['may hide behind the page of a proxy', { status: 404, body: '<html>' }, 'malformed'],
    ['may hide behind the JSON of a proxy', { status: 404, body: { message: 'no route' } }, 'malformed'],
    ['may hide behind a page with status 200', { body: '<html>' }, 'malformed'],
    ['may hide behind an object without a state', { body: { id: 'pi_1' } }, 'malformed'],
    ['is left by an error of the server', stripeError(500, { type: 'api_error' }), 'server_error'],
    ['is left by too many requests', stripeError(429, { code: 'rate_limit' }), 'server_error'],
    ['is left by a locked object', stripeError(429, { code: 'lock_timeout' }), 'server_error'],
    ['is left by a lock that is a 400', stripeError(400, { code: 'lock_timeout' }), 'server_error'],
    ['is left by the same call still running', stripeError(409, { code: 'idempotency_key_in_use' }), 'server_error'],
    ['is left by a payment that is still processing', { body: intent('processing') }, 'server_error'],
  ] as const)('%s', async (_name, script, fault) => {
    stripe.answer(script, { body: intent('requires_capture') });
    const error = await failureOf(stripe.payments.authorize(operation, knowing('pi_1'), { timeoutMs: 500 }));
    expect(error).toBeInstanceOf(GatewayFault);
    expect(error).toMatchObject({ gateway: 'stripe', fault });
    expect(stripe.sent).toHaveLength(1);
  });

  test('does not exist where no connection could be made', async () => {
    const closed = await scriptedStripe();
    await closed.close();
    const { createStripePayments } = await import('./stripe.js');
    const payments = await createStripePayments({
      apiBase: 'http://127.0.0.1:1',
      timeoutMs: 500,
      secretKey: 'sk_test_hidden',
      installation: 'here',
    });
    expect(await failureOf(payments.authorize(operation, knowing('pi_1')))).toMatchObject({ fault: 'unreachable' });
    await payments.close();
  });

  test.each([
    ['requires_capture', {}, { kind: 'authorized', authorizationId: 'pi_1' }],
    ['succeeded', {}, { kind: 'authorized', authorizationId: 'pi_1' }],
    ['requires_confirmation', {}, null],
    ['requires_action', {}, { kind: 'declined', code: 'payment_declined', declineCode: 'authentication_required' }],
    ['canceled', {}, { kind: 'declined', code: 'payment_declined', declineCode: 'authorization_voided' }],
    [
      'requires_payment_method',
      { last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds', message: secret } },
      { kind: 'declined', code: 'insufficient_funds', declineCode: 'insufficient_funds' },
    ],
  ])('about an authorization is settled by reading: %s', async (status, more, answer) => {
    stripe.answer({ body: intent(status, more) });
    expect(await stripe.payments.findAuthorization(operation, 'pi_1')).toEqual(answer);
    expect(lines()).toEqual(['GET /stripe/v1/payment_intents/pi_1']);
  });

  test('does not exist without a stored id: nothing was confirmed', async () => {
    stripe.answer();
    expect(await stripe.payments.findAuthorization(operation, null)).toBeNull();
    expect(await stripe.payments.cancel?.(operation, null)).toEqual({ kind: 'voided' });
    expect(stripe.sent).toEqual([]);
  });

  test.each([
    [401, { type: 'invalid_request_error' }],
    [403, { type: 'invalid_request_error' }],
    [400, { type: 'idempotency_error' }],
    [404, { code: 'resource_missing', param: 'intent' }],
  ])('is no decline where the setting is wrong: %i %o', async (status, error) => {
    stripe.answer(stripeError(status, error));
    const failure = await failureOf(stripe.payments.authorize(operation, knowing('pi_1')));
    expect(failure).not.toBeInstanceOf(GatewayFault);
    expect(stripe.sent).toHaveLength(1);
  });
});
