/** The Stripe face, as the real Stripe client sees it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../server.js';
import { type Client, errorOf, stripeClient } from './client.fixture.js';

let home: string;
let sandbox: Sandbox;
let stripe: Client;
let serial = 0;
const fresh = (what: string) => `${what}-${++serial}`;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'stripe-'));
  sandbox = await startSandbox({ home, httpPort: 0, smtpPort: 0 });
  stripe = stripeClient(sandbox.url);
});
afterAll(async () => {
  await sandbox.close();
  await rm(home, { recursive: true });
});

const terms = (method: string, reference = fresh('ord')) => ({
  amount: 1999,
  currency: 'usd',
  capture_method: 'manual' as const,
  payment_method: method,
  metadata: { reference },
});
/** A card as `tok_…`, which Stripe takes as data of a payment method. */
const byToken = (token: string, reference = fresh('ord')) => {
  const { payment_method: _, ...others } = terms('', reference);
  return { ...others, payment_method_data: { type: 'card' as const, card: { token } } };
};
const authorized = (method: string) => stripe.paymentIntents.create({ ...terms(method), confirm: true });
async function captured(method: string) {
  const { id } = await authorized(method);
  return stripe.paymentIntents.capture(id);
}

interface Booked {
  readonly authorizationId: string;
  readonly token: string;
  readonly status: string;
  readonly captured: number;
  readonly refunded: number;
}
async function own<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(sandbox.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  expect(answer.ok, text).toBe(true);
  return JSON.parse(text);
}

describe('a PaymentIntent', () => {
  it('is created without moving money, confirmed, captured and refunded, and keeps its metadata', async () => {
    const reference = fresh('ord');
    const created = await stripe.paymentIntents.create(terms('pm_card_visa', reference));
    expect(created).toMatchObject({
      status: 'requires_confirmation',
      amount: 1999,
      currency: 'usd',
      latest_charge: null,
    });
    expect(await own(`/payments?reference=${reference}`)).toEqual([]);

    const confirmed = await stripe.paymentIntents.confirm(created.id, {}, { idempotencyKey: fresh('key') });
    expect(confirmed).toMatchObject({ status: 'requires_capture', amount_capturable: 1999, metadata: { reference } });
    const taken = await stripe.paymentIntents.capture(created.id, { expand: ['latest_charge'] });
    expect(taken).toMatchObject({ status: 'succeeded', amount_received: 1999, amount_capturable: 0 });
    expect(taken.latest_charge).toMatchObject({
      object: 'charge',
      captured: true,
      payment_intent: created.id,
      payment_method_details: { card: { brand: 'visa', last4: '4242', capture_before: expect.any(Number) } },
    });

    const refund = await stripe.refunds.create({
      payment_intent: created.id,
      amount: 999,
      metadata: { refundId: 'rfd_1' },
    });
    expect(refund).toMatchObject({ status: 'succeeded', amount: 999, payment_intent: created.id });
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ metadata: { refundId: 'rfd_1' } });
    const { data } = await stripe.refunds.list({ payment_intent: created.id });
    expect(data.map(({ id }) => id)).toEqual([refund.id]);
    expect(await own(`/payments?reference=${reference}`)).toMatchObject([
      { authorizationId: created.id, token: 'pm_card_visa', status: 'captured', captured: 1999, refunded: 999 },
    ]);
  });

  it('gives less than its amount when less is captured, and releases the rest', async () => {
    const { id } = await authorized('pm_card_visa');
    const tooMuch = await errorOf(stripe.paymentIntents.capture(id, { amount_to_capture: 2000 }));
    expect([tooMuch.statusCode, tooMuch.code]).toEqual([400, 'amount_too_large']);
    expect(await stripe.paymentIntents.capture(id, { amount_to_capture: 1500 })).toMatchObject({
      status: 'succeeded',
      amount_received: 1500,
      amount_capturable: 0,
    });
    const refund = await stripe.refunds.create({ payment_intent: id });
    expect(refund.amount).toBe(1500);
    expect((await errorOf(stripe.refunds.create({ payment_intent: id }))).code).toBe('charge_already_refunded');
  });

  it('is never captured after its cancel, nor cancelled after its capture', async () => {
    const { id: given } = await authorized('pm_card_visa');
    const cancelled = await stripe.paymentIntents.cancel(given, { cancellation_reason: 'abandoned' });
    expect(cancelled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    const late = await errorOf(stripe.paymentIntents.capture(given));
    expect([late.statusCode, late.code, late.payment_intent?.status]).toEqual([
      400,
      'payment_intent_unexpected_state',
      'canceled',
    ]);
    const { id: taken } = await captured('pm_card_visa');
    expect((await errorOf(stripe.paymentIntents.cancel(taken))).code).toBe('payment_intent_unexpected_state');
    expect(await stripe.paymentIntents.retrieve(taken)).toMatchObject({ status: 'succeeded' });
  });

  it('can no longer be confirmed once it is cancelled, not even by a confirm that is on its way', async () => {
    const { id: early } = await stripe.paymentIntents.create(terms('pm_card_visa'));
    await stripe.paymentIntents.cancel(early);
    expect((await errorOf(stripe.paymentIntents.confirm(early))).code).toBe('payment_intent_unexpected_state');

    const reference = fresh('ord');
    const { id } = await stripe.paymentIntents.create(byToken('tok_slow_800', reference));
    const [confirmed, cancelled] = await Promise.all([
      errorOf(stripe.paymentIntents.confirm(id)),
      new Promise((resolve) => setTimeout(resolve, 200)).then(() => stripe.paymentIntents.cancel(id)),
    ]);
    expect([confirmed.code, cancelled.status]).toEqual(['payment_intent_unexpected_state', 'canceled']);
    expect(await own(`/payments?reference=${reference}`)).toEqual([]);
  });

  it('is declined with Stripe’s codes, and can then be paid with another card', async () => {
    const { id } = await stripe.paymentIntents.create(terms('pm_card_chargeDeclinedInsufficientFunds'));
    const error = await errorOf(stripe.paymentIntents.confirm(id));
    expect(error).toMatchObject({
      statusCode: 402,
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      payment_intent: { id, status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } },
    });
    const paid = await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_mastercard' });
    expect(paid).toMatchObject({ status: 'requires_capture', last_payment_error: null });
    const charge = await stripe.charges.retrieve(String(paid.latest_charge));
    expect(charge.payment_method_details?.card).toMatchObject({ brand: 'mastercard', last4: '4444' });
  });

  it('that needs the cardholder waits for it, or is declined if nobody is there', async () => {
    const method = 'pm_card_authenticationRequired';
    expect(await authorized(method)).toMatchObject({
      status: 'requires_action',
      next_action: { type: 'use_stripe_sdk' },
    });
    for (const absent of [{ off_session: true }, { error_on_requires_action: true }]) {
      const error = await errorOf(stripe.paymentIntents.create({ ...terms(method), ...absent, confirm: true }));
      expect([error.statusCode, error.code, error.decline_code]).toEqual([
        402,
        'authentication_required',
        'authentication_required',
      ]);
      expect(error.payment_intent?.status).toBe('requires_payment_method');
    }
  });

  it('is captured at once unless the capture is manual', async () => {
    const { capture_method: _, ...automatic } = terms('pm_card_visa');
    const paid = await stripe.paymentIntents.create({ ...automatic, confirm: true });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 1999 });
  });

  it('is refused if it is too small, has an unknown parameter, or a token that was used before', async () => {
    const small = await errorOf(stripe.paymentIntents.create({ ...terms('pm_card_visa'), amount: 49 }));
    expect([small.statusCode, small.code, small.param]).toEqual([400, 'amount_too_small', 'amount']);
    const strange = { ...terms('pm_card_visa'), colour: 'red' };
    const unknown = await errorOf(stripe.paymentIntents.create(strange));
    expect([unknown.statusCode, unknown.code, unknown.param]).toEqual([400, 'parameter_unknown', 'colour']);
    const used = await errorOf(stripe.paymentIntents.create({ ...byToken('tok_used'), confirm: true }));
    expect([used.statusCode, used.code]).toEqual([400, 'token_already_used']);
    const absent = await errorOf(stripe.paymentIntents.retrieve('pi_nothing'));
    expect([absent.statusCode, absent.code]).toEqual([404, 'resource_missing']);
  });

  it('is listed newest first, a page at a time, by time and by customer', async () => {
    const customer = await stripe.customers.create({ email: 'ada@example.com', metadata: { customerId: '7' } });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ metadata: { customerId: '7' } });
    const ids: string[] = [];
    for (let n = 0; n < 5; n++)
      ids.unshift((await stripe.paymentIntents.create({ ...terms('pm_card_visa'), customer: customer.id })).id);
    const seen: string[] = [];
    for await (const { id } of stripe.paymentIntents.list({ customer: customer.id, limit: 2 })) seen.push(id);
    expect(seen).toEqual(ids);
    const created = Math.floor(Date.now() / 1000);
    expect((await stripe.paymentIntents.list({ created: { gt: created + 5 } })).data).toEqual([]);
    const recent = await stripe.paymentIntents.list({
      created: { gte: created - 60 },
      limit: 3,
      customer: customer.id,
    });
    expect([recent.data.map(({ id }) => id), recent.has_more]).toEqual([ids.slice(0, 3), true]);
  });
});

describe('a payment method', () => {
  it('pays again without the cardholder once it is attached to a customer', async () => {
    const { id: customer } = await stripe.customers.create({});
    const first = await stripe.paymentIntents.create({
      ...byToken('tok_visa'),
      customer,
      setup_future_usage: 'off_session',
      confirm: true,
    });
    const method = String(first.payment_method);
    expect((await stripe.paymentMethods.retrieve(method)).customer).toBe(customer);
    for (let renewal = 0; renewal < 2; renewal++)
      expect(
        await stripe.paymentIntents.create({ ...terms(method), customer, off_session: true, confirm: true }),
      ).toMatchObject({ status: 'requires_capture', payment_method: method });
    const attached = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    expect(attached).toMatchObject({ customer, card: { last4: '4242' } });
    expect(attached.id).not.toBe('pm_card_visa');
  });

  it('that belongs to nobody pays once', async () => {
    const { payment_method: method } = await authorized('pm_card_visa');
    const again = await errorOf(authorized(String(method)));
    expect([again.statusCode, again.param]).toEqual([400, 'payment_method']);
  });
});

describe('the books', () => {
  it('show what the processor’s own wire did, and take what somebody does there by hand', async () => {
    const { authorizationId } = await own<{ authorizationId: string }>('/payments/authorizations', {
      token: 'tok_visa',
      amount: 700,
      currency: 'EUR',
      reference: 'by-hand',
    });
    const { data } = await stripe.paymentIntents.list({ limit: 1 });
    expect(data).toMatchObject([{ status: 'requires_capture', amount: 700, currency: 'eur', description: 'by-hand' }]);
    const id = data[0]?.id ?? '';
    await stripe.paymentIntents.capture(id);
    expect(await own<Booked>(`/payments/${authorizationId}`)).toMatchObject({ status: 'captured', captured: 700 });

    const { id: ours } = await captured('pm_card_visa');
    await own(`/payments/${ours}/refunds`, { amount: 500 });
    const refunds = await stripe.refunds.list({ payment_intent: ours });
    expect(refunds.data).toMatchObject([{ amount: 500, status: 'succeeded', metadata: {} }]);
  });

  it('show a refund as pending, and as failed days after it succeeded', async () => {
    const pay = async (token: string) => {
      const { id } = await stripe.paymentIntents.create({ ...byToken(token), confirm: true });
      await stripe.paymentIntents.capture(id);
      return stripe.refunds.create({ payment_intent: id });
    };
    const pending = await pay('tok_refund_pending_600');
    expect(pending).toMatchObject({ status: 'pending', pending_reason: 'processing' });
    await expect.poll(async () => (await stripe.refunds.retrieve(pending.id)).status).toBe('succeeded');
    const late = await pay('tok_refund_fails_late_600');
    expect(late.status).toBe('succeeded');
    await expect
      .poll(async () => await stripe.refunds.retrieve(late.id))
      .toMatchObject({ status: 'failed', failure_reason: 'expired_or_canceled_card' });
    expect((await stripe.refunds.create({ payment_intent: String(late.payment_intent) })).amount).toBe(1999);
  });

  it('freeze refunds during a dispute, and not during an inquiry', async () => {
    const { id } = await captured('pm_card_createDispute');
    const { data } = await stripe.disputes.list({ payment_intent: id });
    expect(data).toMatchObject([{ status: 'needs_response', amount: 1999, is_charge_refundable: false }]);
    expect((await errorOf(stripe.refunds.create({ payment_intent: id }))).code).toBe('charge_disputed');
    expect(await stripe.disputes.close(data[0]?.id ?? '')).toMatchObject({ status: 'lost' });

    const { id: asked } = await captured('pm_card_createDisputeInquiry');
    const inquiries = await stripe.disputes.list({ payment_intent: asked });
    expect(inquiries.data).toMatchObject([{ status: 'warning_needs_response', is_charge_refundable: true }]);
    expect((await stripe.refunds.create({ payment_intent: asked })).status).toBe('succeeded');
  });

  it('refuse to refund more than was captured, and what was not captured', async () => {
    const { id } = await captured('pm_card_visa');
    const over = await errorOf(stripe.refunds.create({ payment_intent: id, amount: 2000 }));
    expect([over.statusCode, over.param]).toEqual([400, 'amount']);
    const { id: open } = await authorized('pm_card_visa');
    expect((await errorOf(stripe.refunds.create({ payment_intent: open }))).statusCode).toBe(400);
  });
});

describe('a request', () => {
  const raw = (headers: Record<string, string>, body = '') =>
    fetch(`${sandbox.url}/stripe/v1/customers`, { method: 'POST', headers, body });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  it('needs a test key, as Bearer or as Basic, and a form as its body', async () => {
    expect((await raw(form)).status).toBe(401);
    expect((await raw({ ...form, authorization: 'Bearer sk_live_1' })).status).toBe(401);
    const basic = `Basic ${Buffer.from('sk_test_1:').toString('base64')}`;
    expect((await raw({ ...form, authorization: basic })).status).toBe(200);
    const json = await raw({ 'content-type': 'application/json', authorization: basic }, '{}');
    expect(json.status).toBe(400);
  });

  it('has an id, and the version that it asked for', async () => {
    const answer = await raw({ ...form, authorization: 'Bearer sk_test_1', 'stripe-version': '2020-08-27' });
    expect(answer.headers.get('stripe-version')).toBe('2020-08-27');
    expect(answer.headers.get('request-id')).toMatch(/^req_\w{14}$/);
  });
});
