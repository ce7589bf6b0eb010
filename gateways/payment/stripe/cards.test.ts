/** What the gateway sends to Stripe to store a card and to charge it, against a server that counts the requests. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  failureOf,
  intent,
  knowing,
  operation,
  type ScriptedStripe,
  scriptedStripe,
  stripeError,
} from './server.fixture.js';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());
const lines = () => stripe.sent.map(({ line }) => line);
const keys = () => stripe.sent.map(({ key }) => key);

const call = { ownerId: 'sub_1', cause: 'upd_1', card: 'backup', token: 'tok_visa', customerId: 'cus_1001' } as const;
const method = { body: { id: 'pm_1', object: 'payment_method' } };
const customer = { body: { id: 'cus_S1', object: 'customer' } };
/** Customers that were stored, each with the number of requests sent before. */
function customers(known: string | null = null) {
  const remembered: string[] = [];
  return {
    known,
    remembered,
    remember: async (id: string) => {
      remembered.push(`${id} after ${stripe.sent.length}`);
      return id;
    },
  };
}

describe('storing a card', () => {
  test('a token becomes a payment method, the customer is stored, and then the method is attached to it', async () => {
    stripe.answer(method, customer, method);
    const ids = customers();
    expect(await stripe.payments.storeCard(call, ids)).toEqual({
      ...{ kind: 'stored', card: { token: 'pm_1', customer: 'cus_S1' } },
    });
    expect(ids.remembered).toEqual(['cus_S1 after 2']);
    expect(lines()).toEqual([
      'POST /stripe/v1/payment_methods',
      'POST /stripe/v1/customers',
      'POST /stripe/v1/payment_methods/pm_1/attach',
    ]);
    expect(keys()).toEqual(['sub_1/upd_1/backup/method', 'sub_1/customer', 'sub_1/upd_1/backup/attach']);
    expect(stripe.sent[1]?.params).toEqual({
      'metadata[installation]': 'here',
      'metadata[ownerId]': 'sub_1',
      'metadata[customerId]': 'cus_1001',
    });
    expect(stripe.sent[2]?.params).toEqual({ customer: 'cus_S1' });
  });

  test('a customer that is stored is not made again', async () => {
    stripe.answer(method);
    const ids = customers('cus_S1');
    expect(await stripe.payments.storeCard({ ...call, token: 'pm_card_visa' }, ids)).toMatchObject({ kind: 'stored' });
    expect([lines(), ids.remembered]).toEqual([['POST /stripe/v1/payment_methods/pm_card_visa/attach'], []]);
  });

  test('a card that Stripe declines to attach is refused, with the code of the bank', async () => {
    stripe.answer(
      method,
      customer,
      stripeError(402, { type: 'card_error', code: 'card_declined', decline_code: 'expired_card' }),
    );
    expect(await stripe.payments.storeCard(call, customers())).toEqual({
      ...{ kind: 'declined', code: 'payment_declined', declineCode: 'expired_card' },
    });
  });

  test('a refused customer is no refused card: the settings are wrong', async () => {
    stripe.answer(method, stripeError(400, { code: 'parameter_unknown', param: 'metadata' }));
    const error = await failureOf(stripe.payments.storeCard(call, customers()));
    expect(error.message).toBe('stripe: customer was answered with 400 parameter_unknown metadata');
  });

  test('a stored error about the customer is not asked for again: the next key follows', async () => {
    stripe.answer(method, stripeError(500, { type: 'api_error' }, true), customer, method);
    expect(await stripe.payments.storeCard(call, customers())).toMatchObject({ kind: 'stored' });
    expect(keys().slice(1, 3)).toEqual(['sub_1/customer', 'sub_1/customer/2']);
  });
});

describe('charging a stored card', () => {
  const stored = { ...operation, token: 'pm_1', stored: { customer: 'cus_S1' } };

  test('with its holder there, it is set up for later payments', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    await stripe.payments.authorize(stored, { known: null, remember: async () => undefined });
    expect(stripe.sent[0]?.params).toMatchObject({
      ...{ customer: 'cus_S1', payment_method: 'pm_1', setup_future_usage: 'off_session' },
    });
    expect(stripe.sent[1]?.params).toEqual({ error_on_requires_action: 'true' });
  });

  test('without its holder, it is off-session', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    const renewal = { ...stored, merchantInitiated: true } as const;
    await stripe.payments.authorize(renewal, { known: null, remember: async () => undefined });
    expect(stripe.sent[0]?.params).toMatchObject({ customer: 'cus_S1', payment_method: 'pm_1' });
    expect(stripe.sent[0]?.params).not.toHaveProperty('setup_future_usage');
    expect(stripe.sent[1]?.params).toEqual({ off_session: 'true' });
  });

  test('a renewal that wants its holder is declined for that', async () => {
    stripe.answer(
      stripeError(402, {
        type: 'card_error',
        code: 'authentication_required',
        decline_code: 'authentication_required',
      }),
    );
    expect(await stripe.payments.authorize({ ...stored, merchantInitiated: true }, knowing('pi_1'))).toEqual({
      ...{ kind: 'declined', code: 'payment_declined', declineCode: 'authentication_required' },
    });
  });
});
