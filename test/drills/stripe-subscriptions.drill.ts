/** Subscriptions on Stripe's wire: the stack with PAYMENT_GATEWAY=stripe, whose Stripe is the sandbox. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { eventually, newEmail } from '../shop.js';
import {
  advance,
  clockAt,
  command,
  newCustomer,
  paymentsOf,
  recordsOf,
  shown,
  subscribe,
  subscribed,
  takenFor,
} from '../stack/subscriptions/subscriber.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({ ...quickTakeover, PAYMENT_GATEWAY: 'stripe', HOLDFAST_CRASH_POINTS: crashFolder });
const start = '2026-01-01T00:00:00Z';
const renewal = '2026-02-01T00:00:00Z';

interface Intent {
  readonly customer: string | null;
  readonly payment_method: string | null;
  readonly setup_future_usage: string | null;
}

/** The PaymentIntents of a client's customer, oldest first. */
async function intentsOf(customerId: string): Promise<Intent[]> {
  const payments = await paymentsOf(own.shop, customerId);
  return await Promise.all(
    payments.map(async ({ providerReference }) => {
      const headers = { authorization: 'Bearer sk_test_sandbox' };
      const url = `${own.stack.sandboxUrl}/stripe/v1/payment_intents/${providerReference}`;
      return (await (await fetch(url, { headers })).json()) as Intent;
    }),
  );
}

test.each(['pm_card_visa', 'tok_visa'])(
  '%s is stored once, and pays each period of one customer',
  async (cardToken) => {
    const { shop } = own;
    const customerId = newCustomer();
    const clock = await clockAt(shop, start);
    const id = await subscribed(shop, { customerId, cardToken, testClock: clock });
    await advance(shop, clock, '2026-03-01T00:00:00Z');
    expect(await recordsOf(shop, id)).toMatchObject(Array(3).fill({ charged: 1000, status: 'paid', attempts: 1 }));
    expect(await takenFor(shop, await paymentsOf(shop, customerId))).toEqual({ open: 0, net: 3000 });
    const [first, ...renewals] = await intentsOf(customerId);
    expect(first).toMatchObject({ customer: expect.stringMatching(/^cus_/), setup_future_usage: 'off_session' });
    const { customer, payment_method: method } = first ?? {};
    expect(renewals).toMatchObject(Array(2).fill({ customer, payment_method: method, setup_future_usage: null }));

    await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'pm_card_mastercard' }));
    await advance(shop, clock, '2026-04-01T00:00:00Z');
    const last = (await intentsOf(customerId)).at(-1);
    expect([last?.customer, last?.payment_method === method]).toEqual([customer, false]);
  },
);

test('a renewal whose bank wants the cardholder is unpaid at once, with a mail and no further attempt', async () => {
  const { shop } = own;
  const [customerId, email] = [newCustomer(), newEmail()];
  const clock = await clockAt(shop, start);
  const id = await subscribed(shop, { customerId, email, cardToken: 'pm_card_visa', testClock: clock });
  await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'pm_card_authenticationRequired' }));
  await advance(shop, clock, renewal);
  expect(await shown(shop, id)).toMatchObject({ status: 'unpaid' });
  await advance(shop, clock, '2026-02-20T00:00:00Z');
  expect((await recordsOf(shop, id))[1]).toMatchObject({ status: 'failed', attempts: 1 });
  await eventually('the mail', async () => (await shop.mailTo(email)).length >= 2);
  await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'pm_card_visa' }));
  expect((await shown(shop, id)).status).toBe('active');
});

test.each([
  ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
  ['pm_card_authenticationRequired', 'payment_declined'],
  ['tok_used', 'payment_declined'],
  ['pm_nobody', 'payment_declined'],
])('a first charge with %s is 402 %s', async (cardToken, code) => {
  const { status, body } = await subscribe(own.shop, { cardToken });
  expect([status, body.code]).toEqual([402, code]);
  expect((await shown(own.shop, body.subscriptionId)).status).toBe('cancelled');
});

describe('a card is stored once, for one customer, if the worker dies', () => {
  // It makes a payment method, makes the customer, stores its id, and attaches the one to the other.
  test.each(['before', 'during', 'during2', 'during3', 'during4', 'during5', 'after'])('%s it acts', async (phase) => {
    const { shop } = own;
    const customerId = newCustomer();
    const crashed = crashAt(crashFolder, `storeCard.${phase}`, customerId);
    const clock = await clockAt(shop, start);
    const { body } = await shop.must(201, subscribe(shop, { customerId, cardToken: 'tok_visa', testClock: clock }));
    await crashed();
    await advance(shop, clock, renewal);
    expect(await recordsOf(shop, body.id)).toHaveLength(2);
    const intents = await intentsOf(customerId);
    expect(new Set(intents.map(({ customer }) => customer)).size).toBe(1);
    expect(new Set(intents.map(({ payment_method }) => payment_method)).size).toBe(1);
  });
});
