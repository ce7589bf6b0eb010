/** The Stripe face's books and its requests, as the real Stripe client sees them. */
import { describe, expect, it } from 'vitest';
import { errorOf } from './client.fixture.js';
import { byToken, sandboxFace } from './face.fixture.js';

const face = sandboxFace();

describe('the books', () => {
  it('show what the processor’s own wire did, and take what somebody does there by hand', async () => {
    const { authorizationId } = await face.own<{ authorizationId: string }>('/payments/authorizations', {
      token: 'tok_visa',
      amount: 700,
      currency: 'EUR',
      reference: 'by-hand',
    });
    const { data } = await face.stripe.paymentIntents.list({ limit: 1 });
    expect(data).toMatchObject([{ status: 'requires_capture', amount: 700, currency: 'eur', description: 'by-hand' }]);
    const id = data[0]?.id ?? '';
    await face.stripe.paymentIntents.capture(id);
    expect(await face.own(`/payments/${authorizationId}`)).toMatchObject({ status: 'captured', captured: 700 });

    const { id: ours } = await face.captured('pm_card_visa');
    await face.own(`/payments/${ours}/refunds`, { amount: 500 });
    const refunds = await face.stripe.refunds.list({ payment_intent: ours });
    expect(refunds.data).toMatchObject([{ amount: 500, status: 'succeeded', metadata: {} }]);
  });

  it('show a refund as pending, and as failed days after it succeeded', async () => {
    const pay = async (token: string) => {
      const { id } = await face.stripe.paymentIntents.create({ ...byToken(token), confirm: true });
      await face.stripe.paymentIntents.capture(id);
      return face.stripe.refunds.create({ payment_intent: id });
    };
    const pending = await pay('tok_refund_pending_600');
    expect(pending).toMatchObject({ status: 'pending', pending_reason: 'processing' });
    await expect.poll(async () => (await face.stripe.refunds.retrieve(pending.id)).status).toBe('succeeded');
    const late = await pay('tok_refund_fails_late_600');
    expect(late.status).toBe('succeeded');
    await expect
      .poll(async () => await face.stripe.refunds.retrieve(late.id))
      .toMatchObject({ status: 'failed', failure_reason: 'expired_or_canceled_card' });
    expect((await face.stripe.refunds.create({ payment_intent: String(late.payment_intent) })).amount).toBe(1999);
  });

  it('freeze refunds during a dispute, and not during an inquiry', async () => {
    const { id } = await face.captured('pm_card_createDispute');
    const { data } = await face.stripe.disputes.list({ payment_intent: id });
    expect(data).toMatchObject([{ status: 'needs_response', amount: 1999, is_charge_refundable: false }]);
    expect((await errorOf(face.stripe.refunds.create({ payment_intent: id }))).code).toBe('charge_disputed');
    expect(await face.stripe.disputes.close(data[0]?.id ?? '')).toMatchObject({ status: 'lost' });

    const { id: asked } = await face.captured('pm_card_createDisputeInquiry');
    const inquiries = await face.stripe.disputes.list({ payment_intent: asked });
    expect(inquiries.data).toMatchObject([{ status: 'warning_needs_response', is_charge_refundable: true }]);
    expect((await face.stripe.refunds.create({ payment_intent: asked })).status).toBe('succeeded');
  });

  it('refuse to refund more than was captured, and what was not captured', async () => {
    const { id } = await face.captured('pm_card_visa');
    const over = await errorOf(face.stripe.refunds.create({ payment_intent: id, amount: 2000 }));
    expect([over.statusCode, over.param]).toEqual([400, 'amount']);
    const { id: open } = await face.authorized('pm_card_visa');
    expect((await errorOf(face.stripe.refunds.create({ payment_intent: open }))).statusCode).toBe(400);
  });
});

describe('a request', () => {
  const raw = (headers: Record<string, string>, body = '') =>
    fetch(`${face.url}/stripe/v1/customers`, { method: 'POST', headers, body });
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

describe('the fraud scorer', () => {
  it('knows the token that a payment method was made from', async () => {
    const { id } = await face.stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_fraud' } });
    const about = { amount: 100, currency: 'EUR', reference: 'r', customerId: null };
    expect(await face.own('/fraud/score', { token: id, ...about })).toEqual({ score: 0.9 });
    expect(await face.own('/fraud/score', { token: 'pm_card_visa', ...about })).toEqual({ score: 0.1 });
  });
});
