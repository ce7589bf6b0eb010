/** The Stripe face's PaymentIntents and payment methods, as the real Stripe client sees them. */
import { describe, expect, it } from 'vitest';
import { errorOf } from './client.fixture.js';
import { byToken, fresh, sandboxFace, terms } from './face.fixture.js';

const face = sandboxFace();

describe('a PaymentIntent', () => {
  it('is created without moving money, confirmed, captured and refunded, and keeps its metadata', async () => {
    const reference = fresh('ord');
    const created = await face.stripe.paymentIntents.create(terms('pm_card_visa', reference));
    expect(created).toMatchObject({
      status: 'requires_confirmation',
      amount: 1999,
      currency: 'usd',
      latest_charge: null,
    });
    expect(await face.own(`/payments?reference=${reference}`)).toEqual([]);

    const confirmed = await face.stripe.paymentIntents.confirm(created.id, {}, { idempotencyKey: fresh('key') });
    expect(confirmed).toMatchObject({ status: 'requires_capture', amount_capturable: 1999, metadata: { reference } });
    const taken = await face.stripe.paymentIntents.capture(created.id, { expand: ['latest_charge'] });
    expect(taken).toMatchObject({ status: 'succeeded', amount_received: 1999, amount_capturable: 0 });
    expect(taken.latest_charge).toMatchObject({
      object: 'charge',
      captured: true,
      payment_intent: created.id,
      payment_method_details: { card: { brand: 'visa', last4: '4242', capture_before: expect.any(Number) } },
    });

    const refund = await face.stripe.refunds.create({
      payment_intent: created.id,
      amount: 999,
      metadata: { refundId: 'rfd_1' },
    });
    expect(refund).toMatchObject({ status: 'succeeded', amount: 999, payment_intent: created.id });
    expect(await face.stripe.refunds.retrieve(refund.id)).toMatchObject({ metadata: { refundId: 'rfd_1' } });
    const { data } = await face.stripe.refunds.list({ payment_intent: created.id });
    expect(data.map(({ id }) => id)).toEqual([refund.id]);
    expect(await face.own(`/payments?reference=${reference}`)).toMatchObject([
      { authorizationId: created.id, token: 'pm_card_visa', status: 'captured', captured: 1999, refunded: 999 },
    ]);
  });

  it('gives less than its amount when less is captured, and releases the rest', async () => {
    const { id } = await face.authorized('pm_card_visa');
    const tooMuch = await errorOf(face.stripe.paymentIntents.capture(id, { amount_to_capture: 2000 }));
    expect([tooMuch.statusCode, tooMuch.code]).toEqual([400, 'amount_too_large']);
    expect(await face.stripe.paymentIntents.capture(id, { amount_to_capture: 1500 })).toMatchObject({
      status: 'succeeded',
      amount_received: 1500,
      amount_capturable: 0,
    });
    const refund = await face.stripe.refunds.create({ payment_intent: id });
    expect(refund.amount).toBe(1500);
    expect((await errorOf(face.stripe.refunds.create({ payment_intent: id }))).code).toBe('charge_already_refunded');
  });

  it('is never captured after its cancel, nor cancelled after its capture', async () => {
    const { id: given } = await face.authorized('pm_card_visa');
    const cancelled = await face.stripe.paymentIntents.cancel(given, { cancellation_reason: 'abandoned' });
    expect(cancelled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    const late = await errorOf(face.stripe.paymentIntents.capture(given));
    expect([late.statusCode, late.code, late.payment_intent?.status]).toEqual([
      400,
      'payment_intent_unexpected_state',
      'canceled',
    ]);
    const { id: taken } = await face.captured('pm_card_visa');
    expect((await errorOf(face.stripe.paymentIntents.cancel(taken))).code).toBe('payment_intent_unexpected_state');
    expect(await face.stripe.paymentIntents.retrieve(taken)).toMatchObject({ status: 'succeeded' });
  });

  it('can no longer be confirmed once it is cancelled, not even by a confirm that is on its way', async () => {
    const { id: early } = await face.stripe.paymentIntents.create(terms('pm_card_visa'));
    await face.stripe.paymentIntents.cancel(early);
    expect((await errorOf(face.stripe.paymentIntents.confirm(early))).code).toBe('payment_intent_unexpected_state');

    const reference = fresh('ord');
    const { id } = await face.stripe.paymentIntents.create(byToken('tok_slow_800', reference));
    const [confirmed, cancelled] = await Promise.all([
      errorOf(face.stripe.paymentIntents.confirm(id)),
      new Promise((resolve) => setTimeout(resolve, 200)).then(() => face.stripe.paymentIntents.cancel(id)),
    ]);
    expect([confirmed.code, cancelled.status]).toEqual(['payment_intent_unexpected_state', 'canceled']);
    expect(await face.own(`/payments?reference=${reference}`)).toEqual([]);
  });

  it('is declined with Stripe’s codes, and can then be paid with another card', async () => {
    const { id } = await face.stripe.paymentIntents.create(terms('pm_card_chargeDeclinedInsufficientFunds'));
    const error = await errorOf(face.stripe.paymentIntents.confirm(id));
    expect(error).toMatchObject({
      statusCode: 402,
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      payment_intent: { id, status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } },
    });
    const paid = await face.stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_mastercard' });
    expect(paid).toMatchObject({ status: 'requires_capture', last_payment_error: null });
    const charge = await face.stripe.charges.retrieve(String(paid.latest_charge));
    expect(charge.payment_method_details?.card).toMatchObject({ brand: 'mastercard', last4: '4444' });
  });

  it('that needs the cardholder waits for it, or is declined if nobody is there', async () => {
    const method = 'pm_card_authenticationRequired';
    expect(await face.authorized(method)).toMatchObject({
      status: 'requires_action',
      next_action: { type: 'use_stripe_sdk' },
    });
    for (const absent of [{ off_session: true }, { error_on_requires_action: true }]) {
      const error = await errorOf(face.stripe.paymentIntents.create({ ...terms(method), ...absent, confirm: true }));
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
    const paid = await face.stripe.paymentIntents.create({ ...automatic, confirm: true });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 1999 });
  });

  it('is refused if it is too small, has an unknown parameter, or a token that was used before', async () => {
    const small = await errorOf(face.stripe.paymentIntents.create({ ...terms('pm_card_visa'), amount: 49 }));
    expect([small.statusCode, small.code, small.param]).toEqual([400, 'amount_too_small', 'amount']);
    const strange = { ...terms('pm_card_visa'), colour: 'red' };
    const unknown = await errorOf(face.stripe.paymentIntents.create(strange));
    expect([unknown.statusCode, unknown.code, unknown.param]).toEqual([400, 'parameter_unknown', 'colour']);
    const used = await errorOf(face.stripe.paymentIntents.create({ ...byToken('tok_used'), confirm: true }));
    expect([used.statusCode, used.code]).toEqual([400, 'token_already_used']);
    const absent = await errorOf(face.stripe.paymentIntents.retrieve('pi_nothing'));
    expect([absent.statusCode, absent.code]).toEqual([404, 'resource_missing']);
  });

  it('is listed newest first, a page at a time, by time and by customer', async () => {
    const customer = await face.stripe.customers.create({ email: 'ada@example.com', metadata: { customerId: '7' } });
    expect(await face.stripe.customers.retrieve(customer.id)).toMatchObject({ metadata: { customerId: '7' } });
    const ids: string[] = [];
    for (let n = 0; n < 5; n++)
      ids.unshift((await face.stripe.paymentIntents.create({ ...terms('pm_card_visa'), customer: customer.id })).id);
    const seen: string[] = [];
    for await (const { id } of face.stripe.paymentIntents.list({ customer: customer.id, limit: 2 })) seen.push(id);
    expect(seen).toEqual(ids);
    const created = Math.floor(Date.now() / 1000);
    expect((await face.stripe.paymentIntents.list({ created: { gt: created + 5 } })).data).toEqual([]);
    const recent = await face.stripe.paymentIntents.list({
      created: { gte: created - 60 },
      limit: 3,
      customer: customer.id,
    });
    expect([recent.data.map(({ id }) => id), recent.has_more]).toEqual([ids.slice(0, 3), true]);
  });
});

describe('a payment method', () => {
  it('pays again without the cardholder once it is attached to a customer', async () => {
    const { id: customer } = await face.stripe.customers.create({});
    const first = await face.stripe.paymentIntents.create({
      ...byToken('tok_visa'),
      customer,
      setup_future_usage: 'off_session',
      confirm: true,
    });
    const method = String(first.payment_method);
    expect((await face.stripe.paymentMethods.retrieve(method)).customer).toBe(customer);
    for (let renewal = 0; renewal < 2; renewal++)
      expect(
        await face.stripe.paymentIntents.create({ ...terms(method), customer, off_session: true, confirm: true }),
      ).toMatchObject({ status: 'requires_capture', payment_method: method });
    const attached = await face.stripe.paymentMethods.attach('pm_card_visa', { customer });
    expect(attached).toMatchObject({ customer, card: { last4: '4242' } });
    expect(attached.id).not.toBe('pm_card_visa');
  });

  it('is not set up for later payments by a payment without the cardholder', async () => {
    const { id: customer } = await face.stripe.customers.create({});
    const { id: method } = await face.stripe.paymentMethods.attach('pm_card_visa', { customer });
    const made = { ...terms(method), customer, setup_future_usage: 'off_session' } as const;
    const { id } = await face.stripe.paymentIntents.create(made);
    const error = await errorOf(face.stripe.paymentIntents.confirm(id, { off_session: true }));
    expect([error.statusCode, error.param]).toEqual([400, 'off_session']);
    expect(await face.stripe.paymentIntents.confirm(id)).toMatchObject({ status: 'requires_capture' });
  });

  it('whose bank refuses every payment can be attached, and then pays nothing', async () => {
    const { id: customer } = await face.stripe.customers.create({});
    const { id: method } = await face.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
    const renewal = { ...terms(method), customer, off_session: true, confirm: true };
    expect((await errorOf(face.stripe.paymentIntents.create(renewal))).code).toBe('card_declined');
  });

  it('of a customer pays for nobody else', async () => {
    const { id: customer } = await face.stripe.customers.create({});
    const { id: method } = await face.stripe.paymentMethods.attach('pm_card_visa', { customer });
    const { id: other } = await face.stripe.customers.create({});
    for (const payer of [{}, { customer: other }])
      expect((await errorOf(face.stripe.paymentIntents.create({ ...terms(method), ...payer }))).param).toBe(
        'payment_method',
      );
    expect((await errorOf(face.stripe.paymentMethods.attach(method, { customer: other }))).statusCode).toBe(400);
  });

  it('that belongs to nobody pays once', async () => {
    const { payment_method: method } = await face.authorized('pm_card_visa');
    const again = await errorOf(face.authorized(String(method)));
    expect([again.statusCode, again.param]).toEqual([400, 'payment_method']);
  });
});
