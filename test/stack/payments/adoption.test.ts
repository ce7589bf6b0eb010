/**
 * What somebody does in the processor's own pages, and what the processor decides later, becomes ours: by the look of a
 * schedule at the sandbox, by signed webhooks of Stripe's wire.
 */
import { describe, expect, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { type Answer, eventually, newEmail, type Shop } from '../../shop.js';
import { refundOrder, refundReview, sold, untilRefund } from '../refunds/sale.js';

describe.each([
  ['the sandbox, by the look of a schedule', { EXPIRY_SWEEP_SECONDS: '1' }],
  [
    'Stripe, by signed webhooks',
    { PAYMENT_GATEWAY: 'stripe', STRIPE_SECRET_KEY: 'sk_test_adoption', STRIPE_WEBHOOK_SECRET: 'whsec_adoption' },
  ],
])('at %s', (_where, settings) => {
  const own = ownStack({ ...settings, MANAGERS_EMAIL: 'managers@adoption.example' });

  async function byHand(path: string, body: object): Promise<Answer['body']> {
    const response = await fetch(`${own.stack.sandboxUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer: Answer['body'] = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  }
  const paymentOf = async (shop: Shop, orderId: string): Promise<Answer['body']> =>
    (await shop.must(200, shop.get(`/api/orders/${orderId}`))).body.payment;
  const untilPayment = (shop: Shop, orderId: string, what: string, holds: (payment: Answer['body']) => boolean) =>
    eventually(what, async () => {
      const payment = await paymentOf(shop, orderId);
      return holds(payment) && payment;
    });

  test('a refund made there is booked once, and the customer is told', async () => {
    const { shop } = own;
    const email = newEmail();
    const { sku, orderId } = await sold(shop, 'tok_visa', email);
    const { providerReference } = await paymentOf(shop, orderId);
    const made = await byHand(`/payments/${providerReference}/refunds`, { amount: 700 });
    await untilPayment(shop, orderId, 'the refund', ({ refunded }) => refunded === 700);
    const { body } = await shop.must(200, shop.get(`/api/refunds?orderId=${orderId}`));
    expect(body.items).toMatchObject([{ amount: 700, status: 'succeeded', lines: [], restocked: false }]);
    expect(body.items[0].providerReference).toBe(made.refundId);
    expect(await shop.statusOf(orderId)).toBe('partially_refunded');
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
    const mails = await eventually('the mail', async () => {
      const all = (await shop.mailTo(email)).filter(({ subject }) => subject.startsWith('Refund'));
      return all.length > 0 && all;
    });
    expect(mails).toHaveLength(1);
    // What is left can be refunded here, and no more.
    expect((await refundOrder(shop, orderId, { amount: 2301 })).body).toMatchObject({ available: 2300 });
    expect((await shop.must(201, refundOrder(shop, orderId))).body.amount).toBe(2300);
  });

  test('a refund that fails late makes its amount refundable again and opens a review', async () => {
    const { shop } = own;
    const { orderId } = await sold(shop, 'tok_refund_fails_late_1500');
    const { body } = await shop.must(201, refundOrder(shop, orderId));
    await untilRefund(shop, body.id, 'failed');
    expect(await paymentOf(shop, orderId)).toMatchObject({ status: 'captured', refunded: 0, refundPending: 0 });
    expect(await shop.statusOf(orderId)).toBe('confirmed');
    expect((await shop.path(orderId)).slice(-3)).toEqual(['confirmed', 'refunded', 'confirmed']);
    expect((await refundReview(shop, body.id)).detail).toMatchObject({ refundId: body.id, afterSuccess: true });
  });

  test('a dispute freezes refunds, is a review and a mail to the managers, and restores when it is won', async () => {
    const { shop } = own;
    const { sku, orderId } = await sold(shop);
    const { id: paymentId, providerReference } = await paymentOf(shop, orderId);
    const opened = await byHand(`/payments/${providerReference}/disputes`, { reason: 'fraudulent' });
    const { disputes } = await untilPayment(shop, orderId, 'the dispute', (payment) => payment.disputes.length === 1);
    const [dispute] = disputes;
    expect(dispute).toMatchObject({
      ...{ paymentId, orderId, amount: 3000, currency: 'USD', reason: 'fraudulent', status: 'open' },
      ...{ refundable: false, closedAt: null, providerReference: opened.disputeId },
    });
    expect((await shop.must(200, shop.get(`/api/disputes/${dispute.id}`))).body).toEqual(dispute);
    expect((await shop.must(200, shop.get(`/api/disputes?paymentId=${paymentId}&status=open`))).body.items).toEqual([
      dispute,
    ]);
    const refused = await refundOrder(shop, orderId);
    expect([refused.status, refused.body.code]).toEqual([409, 'payment_disputed']);
    const review = async () =>
      (await shop.must(200, shop.get('/api/reviews?limit=200'))).body.items.find(
        ({ subject }: { subject: string }) => subject === `dispute/${dispute.id}`,
      );
    expect(await review()).toMatchObject({ kind: 'dispute', status: 'open' });
    await eventually('the mail to the managers', async () =>
      (await shop.mailTo('managers@adoption.example')).some(({ subject }) => subject === `Dispute open: ${orderId}`),
    );

    await byHand(`/disputes/${opened.disputeId}/close`, { outcome: 'won' });
    await untilPayment(shop, orderId, 'the dispute to be won', (payment) => payment.disputes[0].status === 'won');
    expect(await review()).toMatchObject({ status: 'resolved' });
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
    expect((await shop.must(201, refundOrder(shop, orderId))).body.amount).toBe(3000);
    const timeline = (await shop.get(`/api/orders/${orderId}/timeline`)).body.items;
    expect(timeline.map(({ reason }: { reason: string | null }) => reason).filter(Boolean)).toEqual(
      expect.arrayContaining([expect.stringContaining(`dispute ${dispute.id} about 30.00 USD (fraudulent), won`)]),
    );
  });

  test('a partial refund and a lost dispute never come to more than was captured', async () => {
    const { shop } = own;
    const { orderId } = await sold(shop);
    const { providerReference } = await paymentOf(shop, orderId);
    await shop.must(201, refundOrder(shop, orderId, { amount: 1000 }));
    const { disputeId } = await byHand(`/payments/${providerReference}/disputes`, { reason: 'product_not_received' });
    await byHand(`/disputes/${disputeId}/close`, { outcome: 'lost' });
    await untilPayment(shop, orderId, 'the dispute to be lost', ({ disputes }) => disputes[0]?.status === 'lost');
    const refused = await refundOrder(shop, orderId, { amount: 1 });
    expect([refused.status, refused.body.code]).toEqual([409, 'over_refund']);
    expect(await paymentOf(shop, orderId)).toMatchObject({ refunded: 1000 });
  });

  test('what a lost dispute has left can be refunded, and no more', async () => {
    const { shop } = own;
    const { orderId } = await sold(shop);
    const { providerReference } = await paymentOf(shop, orderId);
    const path = `/payments/${providerReference}/disputes`;
    const { disputeId } = await byHand(path, { reason: 'product_not_received', amount: 900 });
    await byHand(`/disputes/${disputeId}/close`, { outcome: 'lost' });
    await untilPayment(shop, orderId, 'the dispute to be lost', ({ disputes }) => disputes[0]?.status === 'lost');
    expect((await refundOrder(shop, orderId, { amount: 2101 })).body).toMatchObject({ available: 2100 });
    expect((await shop.must(201, refundOrder(shop, orderId))).body.amount).toBe(2100);
  });

  test('an inquiry is no chargeback: refunds go on', async () => {
    const { shop } = own;
    const { orderId } = await sold(shop);
    const { providerReference } = await paymentOf(shop, orderId);
    await byHand(`/payments/${providerReference}/disputes`, { reason: 'general', inquiry: true, refundable: true });
    await untilPayment(shop, orderId, 'the inquiry', ({ disputes }) => disputes[0]?.status === 'inquiry');
    expect((await shop.must(201, refundOrder(shop, orderId))).body.amount).toBe(3000);
  });
});
