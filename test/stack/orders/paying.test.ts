import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, holdings, newEmail } from '../../shop.js';

const shop = sharedShop();

/** Creates and confirms in one call. */
function buy(sku: string, cardToken: string, more: { backupCardToken?: string; email?: string } = {}) {
  return shop.order({
    lines: [{ sku, quantity: 2 }],
    confirm: true,
    payment: { cardToken, ...(more.backupCardToken !== undefined && { backupCardToken: more.backupCardToken }) },
    ...(more.email !== undefined && { customer: { email: more.email } }),
  });
}

test('a free order is confirmed without a charge, whatever card comes with it', async () => {
  const sku = await shop.product(5, 0);
  const lines = [{ sku, quantity: 1 }];
  const payment = { cardToken: 'tok_visa' };
  const { body: bought } = await shop.must(201, shop.order({ lines, confirm: true, payment }));
  const later = await shop.reserved(sku);
  await shop.must(200, shop.confirm(later, 'tok_visa'));
  for (const id of [bought.id, later]) {
    const { body } = await shop.must(200, shop.get(`/api/orders/${id}`));
    expect(body).toMatchObject({ status: 'confirmed', payment: null });
    expect(await shop.books(id)).toEqual([]);
  }
  expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
});

describe('an order that is paid', () => {
  test('in one call is confirmed: goods gone, money taken once, receipt sent', async () => {
    const sku = await shop.product(5, 1250);
    const email = newEmail();
    const { status, body } = await buy(sku, 'tok_visa', { email });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'confirmed',
      total: { amount: 2500, currency: 'USD' },
      expiresAt: null,
      payment: {
        status: 'captured',
        amount: 2500,
        currency: 'USD',
        orderId: body.id,
        cardUsed: 'primary',
        fraudScore: 0.1,
        refunded: 0,
      },
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    const books = await shop.books(body.id);
    expect(books).toMatchObject([
      { status: 'captured', amount: 2500, captured: 2500, refunded: 0, voided: false, token: 'tok_visa' },
    ]);
    expect(books[0]?.calls.map(({ kind }) => kind)).toEqual(['authorize', 'capture']);
    expect(await shop.path(body.id)).toEqual(['pending', 'reserved', 'confirming', 'confirmed']);
    const mails = await eventually('the receipt', async () => {
      const all = await shop.mailTo(email);
      return all.length > 0 && all;
    });
    expect(mails).toHaveLength(1);
    expect(mails[0]?.subject).toContain(body.id);
    expect(mails[0]?.text).toContain('2 x Test product at 12.50 USD: 25.00 USD\n');
    expect(mails[0]?.text).toContain('Total: 25.00 USD\n');
    expect(mails[0]?.text).not.toContain(sku);
  });

  test('by a second call is confirmed, and confirming again does nothing', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 1);
    expect((await shop.must(200, shop.confirm(id, 'tok_mastercard'))).body.status).toBe('confirmed');
    expect((await shop.must(200, shop.confirm(id, 'tok_mastercard'))).body.status).toBe('confirmed');
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 1000 });
    expect(await shop.books(id)).toHaveLength(1);
  });

  test('with the card given at its creation needs no card to confirm', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 1, { payment: { cardToken: 'tok_visa' } });
    expect((await shop.must(200, shop.confirm(id))).body.payment.cardUsed).toBe('primary');
  });

  test('externally is confirmed without a card', async () => {
    const sku = await shop.product(5);
    const { status, body } = await shop.order({
      lines: [{ sku, quantity: 1 }],
      payment: { method: 'external' },
      confirm: true,
    });
    expect([status, body.status, body.payment]).toEqual([201, 'confirmed', null]);
    expect(await shop.books(body.id)).toEqual([]);
    expect(await shop.stock(sku)).toEqual({ onHand: 4, reserved: 0, available: 4 });
  });

  test('and costs nothing needs no payment', async () => {
    const sku = await shop.product(5, 0);
    const id = await shop.reserved(sku, 1);
    expect((await shop.must(200, shop.confirm(id))).body.status).toBe('confirmed');
  });

  test('without any means of payment is refused before anything happens', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 1);
    const refused = await shop.confirm(id);
    expect([refused.status, refused.body.code, refused.body.orderId]).toEqual([422, 'payment_method_required', id]);
    const oneCall = await shop.order({ lines: [{ sku, quantity: 1 }], confirm: true });
    expect([oneCall.status, oneCall.body.code]).toEqual([422, 'payment_method_required']);
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 1, available: 4 });
  });
});

describe('a card', () => {
  test('that came with a refused confirmation is not charged by a later one', async () => {
    const sku = await shop.product(5);
    const { body: draft } = await shop.order({});
    expect((await shop.confirm(draft.id, 'tok_visa')).status).toBe(409);
    await shop.must(201, shop.post(`/api/orders/${draft.id}/lines`, { sku, quantity: 1 }));
    const { status, body } = await shop.confirm(draft.id);
    expect([status, body.code]).toEqual([422, 'payment_method_required']);
    expect(await shop.books(draft.id)).toEqual([]);
  });

  test('that was declined is not used by a later confirmation without a card', async () => {
    const sku = await shop.product(5);
    const without = await shop.reserved(sku, 1);
    expect((await shop.confirm(without, 'tok_declined')).status).toBe(402);
    const refused = await shop.confirm(without);
    expect([refused.status, refused.body.code]).toEqual([422, 'payment_method_required']);
    expect((await shop.books(without)).map(({ token }) => token)).toEqual(['tok_declined']);

    const withCard = await shop.reserved(sku, 1, { payment: { cardToken: 'tok_visa' } });
    expect((await shop.confirm(withCard, 'tok_declined')).status).toBe(402);
    expect((await shop.must(200, shop.confirm(withCard))).body.status).toBe('confirmed');
    expect((await shop.books(withCard)).map(({ token }) => token).sort()).toEqual(['tok_declined', 'tok_visa']);
    expect(holdings(await shop.books(withCard))).toEqual({ open: 0, net: 1000 });
  });
});

describe('a refused payment', () => {
  test.each([
    ['tok_declined', 'payment_declined', { declineCode: 'generic_decline' }],
    ['tok_insufficient_funds', 'insufficient_funds', {}],
    ['tok_fraud', 'fraud_suspected', { score: 0.9 }],
    ['tok_risk_81', 'fraud_suspected', { score: 0.81 }],
  ])('by %s is 402 %s and leaves the hold, so that another card can be tried', async (token, code, extensions) => {
    const sku = await shop.product(5);
    const { status, body } = await buy(sku, token);
    expect(status).toBe(402);
    expect(body).toMatchObject({ code, ...extensions });
    const { body: order } = await shop.get(`/api/orders/${body.orderId}`);
    expect(order.status).toBe('reserved');
    expect(Date.parse(order.expiresAt)).toBeGreaterThan(Date.now());
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 2, available: 3 });
    expect(holdings(await shop.books(body.orderId))).toEqual({ open: 0, net: 0 });
    expect((await shop.must(200, shop.confirm(body.orderId, 'tok_visa'))).body.status).toBe('confirmed');
    expect(holdings(await shop.books(body.orderId))).toEqual({ open: 0, net: 2000 });
  });

  test('a score of 0.8 is not above 0.8', async () => {
    expect((await buy(await shop.product(2), 'tok_risk_80')).status).toBe(201);
  });

  test('for the third time fails the order and frees the stock', async () => {
    const sku = await shop.product(5);
    const { body } = await buy(sku, 'tok_declined');
    expect((await shop.confirm(body.orderId, 'tok_declined')).status).toBe(402);
    expect(await shop.statusOf(body.orderId)).toBe('reserved');
    expect((await shop.confirm(body.orderId, 'tok_declined')).status).toBe(402);
    const { body: order } = await shop.get(`/api/orders/${body.orderId}`);
    expect(order).toMatchObject({ status: 'failed', failure: { code: 'payment_declined' } });
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 0, available: 5 });
    const late = await shop.confirm(body.orderId, 'tok_visa');
    expect([late.status, late.body.code, late.body.from]).toEqual([409, 'invalid_order_state', 'failed']);
  });

  test('for insufficient funds sends the customer a mail, and no receipt', async () => {
    const email = newEmail();
    await buy(await shop.product(2), 'tok_insufficient_funds', { email });
    const mails = await eventually('the mail', async () => {
      const all = await shop.mailTo(email);
      return all.length > 0 && all;
    });
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toContain('insufficient funds');
  });

  test('is not retried on the same card', async () => {
    const { body } = await buy(await shop.product(2), 'tok_declined');
    const books = await shop.books(body.orderId);
    expect(books).toMatchObject([{ status: 'declined' }]);
    expect(books[0]?.calls).toHaveLength(1);
  });
});

describe('a backup card', () => {
  test.each(['tok_declined', 'tok_insufficient_funds', 'tok_capture_declined'])(
    'is charged if the first card is %s',
    async (first) => {
      const sku = await shop.product(5);
      const { status, body } = await buy(sku, first, { backupCardToken: 'tok_visa' });
      expect([status, body.status]).toEqual([201, 'confirmed']);
      expect(body.payment).toMatchObject({
        cardUsed: 'backup',
        attempts: [
          { card: 'primary', outcome: 'declined' },
          { card: 'backup', outcome: 'captured' },
        ],
      });
      expect(holdings(await shop.books(body.id))).toEqual({ open: 0, net: 2000 });
    },
  );

  test('that is refused too ends in all_payment_attempts_failed', async () => {
    const { status, body } = await buy(await shop.product(5), 'tok_declined', {
      backupCardToken: 'tok_insufficient_funds',
    });
    expect([status, body.code]).toEqual([402, 'all_payment_attempts_failed']);
    expect(body.attempts).toMatchObject([{ card: 'primary', code: 'generic_decline' }, { card: 'backup' }]);
  });

  test('is not tried if fraud is suspected', async () => {
    const { status, body } = await buy(await shop.product(5), 'tok_fraud', { backupCardToken: 'tok_visa' });
    expect([status, body.code]).toEqual([402, 'fraud_suspected']);
    expect(await shop.books(body.orderId)).toEqual([]);
  });
});

describe.concurrent('a processor that fails', () => {
  test.each([
    'tok_auth_lost_1',
    'tok_auth_lost_3',
    'tok_auth_timeout_1',
    'tok_auth_timeout_3',
    'tok_capture_lost_1',
    'tok_capture_lost_3',
    'tok_capture_timeout_1',
    'tok_capture_timeout_2',
    'tok_flaky_1',
    'tok_flaky_2',
    'tok_slow_300',
  ])('%s: the order is confirmed with one authorization and one capture', async (token) => {
    const sku = await shop.product(5);
    const { body } = await buy(sku, token);
    const orderId = body.id ?? body.orderId;
    await eventually('the order to be confirmed', async () => (await shop.statusOf(orderId)) === 'confirmed');
    expect(await shop.books(orderId)).toMatchObject([{ status: 'captured', captured: 2000, refunded: 0 }]);
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test.each(['tok_capture_declined', 'tok_capture_down'])(
    '%s: nothing stays open and the hold remains',
    async (token) => {
      const sku = await shop.product(5);
      const { body } = await buy(sku, token);
      const orderId = body.id ?? body.orderId;
      await eventually('the order to be reserved again', async () => (await shop.statusOf(orderId)) === 'reserved');
      expect(holdings(await shop.books(orderId))).toEqual({ open: 0, net: 0 });
      expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 2, available: 3 });
      const { body: order } = await shop.get(`/api/orders/${orderId}`);
      expect(order.payment).toMatchObject({ refunded: 0, attempts: [{ card: 'primary' }] });
    },
  );

  test('a card that answers too late is undone before the backup is charged', async () => {
    const { body } = await buy(await shop.product(5), 'tok_auth_timeout_5', { backupCardToken: 'tok_visa' });
    const orderId = body.id ?? body.orderId;
    await eventually('the order to be confirmed', async () => (await shop.statusOf(orderId)) === 'confirmed');
    const books = await shop.books(orderId);
    expect(holdings(books)).toEqual({ open: 0, net: 2000 });
    expect(books.find(({ token }) => token === 'tok_auth_timeout_5')).toMatchObject({ status: 'voided' });
    expect((await shop.get(`/api/orders/${orderId}`)).body.payment.cardUsed).toBe('backup');
  });
});
