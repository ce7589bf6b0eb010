import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { type Answer, eventually, holdings, newEmail } from '../../shop.js';

const shop = sharedShop();

function pay(cardToken: string, more: Record<string, unknown> = {}): Promise<Answer> {
  return shop.post('/api/payments', { amount: 4200, currency: 'EUR', cardToken, ...more }, { prefer: 'wait=30' });
}

async function decided(answer: Answer): Promise<Answer> {
  const id = answer.body.id ?? answer.body.paymentId;
  await eventually(
    'the payment to be decided',
    async () => (await shop.get(`/api/payments/${id}`)).body.status !== 'pending',
  );
  return shop.get(`/api/payments/${id}`);
}

describe('a standalone payment', () => {
  test('is captured once, with a receipt', async () => {
    const email = newEmail();
    const customerId = `cus_${randomUUID()}`;
    const { status, body } = await pay('tok_visa', { email, customerId, reference: 'invoice 7' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'captured',
      amount: 4200,
      currency: 'EUR',
      orderId: null,
      customerId,
      reference: 'invoice 7',
      cardUsed: 'primary',
      fraudScore: 0.1,
      attempts: [{ card: 'primary', outcome: 'captured', code: null }],
      gateway: 'sandbox',
      refunded: 0,
    });
    expect(body.id).toMatch(/^pay_/);
    expect(await shop.books(body.id)).toMatchObject([{ status: 'captured', captured: 4200, currency: 'EUR' }]);
    expect((await shop.get(`/api/payments/${body.id}`)).body).toEqual(body);
    const listed = await shop.get(`/api/payments?customerId=${customerId}`);
    expect(listed.body).toEqual({ items: [body], nextCursor: null });
    const mails = await eventually('the receipt', async () => {
      const all = await shop.mailTo(email);
      return all.length > 0 && all;
    });
    expect(mails[0]?.text).toContain('42.00 EUR');
  });

  test.each([
    ['tok_declined', 'payment_declined', 'declined', { declineCode: 'generic_decline' }],
    ['tok_insufficient_funds', 'insufficient_funds', 'declined', {}],
    ['tok_fraud', 'fraud_suspected', 'blocked', { score: 0.9 }],
  ])('with %s is refused as %s and reads %s', async (token, code, status, extensions) => {
    const answer = await pay(token);
    expect(answer.status).toBe(402);
    expect(answer.body).toMatchObject({ code, ...extensions });
    expect((await shop.get(`/api/payments/${answer.body.paymentId}`)).body).toMatchObject({ status, cardUsed: null });
    expect(holdings(await shop.books(answer.body.paymentId))).toEqual({ open: 0, net: 0 });
  });

  test.concurrent.each([
    'tok_auth_lost_2',
    'tok_auth_timeout_2',
    'tok_capture_lost_2',
    'tok_capture_timeout_3',
    'tok_flaky_2',
  ])('with %s is still captured once', async (token) => {
    const { body } = await decided(await pay(token));
    expect(body.status).toBe('captured');
    expect(await shop.books(body.id)).toMatchObject([{ status: 'captured', captured: 4200, refunded: 0 }]);
  });

  test('that cannot be captured leaves nothing open', async () => {
    const { body } = await decided(await pay('tok_capture_down'));
    expect(body.status).toBe('failed');
    expect(await shop.books(body.id)).toMatchObject([{ status: 'voided', captured: 0, voided: true }]);
  });

  test('reads pending until it is decided, and 404 if it does not exist', async () => {
    const answer = await shop.post(
      '/api/payments',
      { amount: 1, currency: 'USD', cardToken: 'tok_slow_1500' },
      { prefer: 'respond-async' },
    );
    expect([answer.status, answer.body.status]).toEqual([202, 'pending']);
    expect((await shop.get(`/api/payments/${answer.body.id}`)).body.status).toBe('pending');
    expect((await decided(answer)).body).toMatchObject({ status: 'captured', createdAt: answer.body.createdAt });
    expect((await shop.get(`/api/payments/pay_${randomUUID()}`)).status).toBe(404);
  });

  test.each([
    [{ amount: 0 }],
    [{ amount: 1.5 }],
    [{ amount: 100_000_000 }],
    [{ amount: '1' }],
    [{ currency: 'CHF' }],
    // Its amounts have no minor units.
    [{ currency: 'JPY' }],
    [{ cardToken: '4242' }],
    [{ cardToken: 'pm_card_visa' }],
    [{ backupCardToken: 'pm_card_visa' }],
    [{ hurry: true }],
  ])('with %j is refused and starts nothing', async (wrong) => {
    const { status, body } = await pay('tok_visa', wrong);
    expect([status, body.code]).toEqual([422, 'validation_failed']);
  });
});
