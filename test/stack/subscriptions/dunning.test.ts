/** Renewals that are refused: further attempts, mails, and what another card does. */
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, newEmail } from '../../shop.js';
import {
  advance,
  clockAt,
  command,
  newCustomer,
  paymentsOf,
  recordsOf,
  shown,
  subscribed,
  takenFor,
} from './subscriber.js';

const shop = sharedShop();
const renewal = '2026-02-01T00:00:00Z';

/** An active subscription whose next renewal will be declined. */
async function declining(request: object = {}) {
  const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
  const customerId = newCustomer();
  const email = newEmail();
  const id = await subscribed(shop, { customerId, email, testClock: clock, ...request });
  const { body } = await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'tok_declined' }));
  expect(body.status).toBe('active');
  return { clock, customerId, email, id };
}

const subjects = async (email: string) => (await shop.mailTo(email)).map(({ subject }) => subject.toLowerCase());

describe('a renewal that is declined', () => {
  test('is tried again after an hour and after two, and is unpaid then, with a mail at the first and the last', async () => {
    const { clock, customerId, email, id } = await declining();
    await advance(shop, clock, renewal);
    expect(await shown(shop, id)).toMatchObject({ status: 'past_due', failure: { code: 'payment_declined' } });
    await advance(shop, clock, '2026-02-01T00:59:59Z');
    expect((await recordsOf(shop, id))[1]).toMatchObject({ status: 'failed', attempts: 1 });
    await advance(shop, clock, '2026-02-01T01:00:00Z');
    expect((await recordsOf(shop, id))[1]).toMatchObject({ status: 'failed', attempts: 2 });
    expect((await shown(shop, id)).status).toBe('past_due');
    await advance(shop, clock, '2026-02-01T03:00:00Z');
    expect(await shown(shop, id)).toMatchObject({ status: 'unpaid' });
    await advance(shop, clock, '2026-05-01T00:00:00Z');
    const records = await recordsOf(shop, id);
    expect(records).toHaveLength(2);
    expect(records[1]).toMatchObject({ status: 'failed', attempts: 3 });
    const payments = await paymentsOf(shop, customerId);
    // Each attempt is an operation of its own.
    expect(payments.map(({ status }) => status)).toEqual(['captured', 'declined', 'declined', 'declined']);
    expect(await takenFor(shop, payments)).toEqual({ open: 0, net: 1000 });
    await eventually('both mails', async () => (await subjects(email)).length >= 3);
    expect((await subjects(email)).filter((subject) => !subject.includes('receipt'))).toHaveLength(2);
  });

  test('is paid by a further attempt at once where the card is replaced while it is past due', async () => {
    const { clock, customerId, id } = await declining();
    await advance(shop, clock, renewal);
    const { body } = await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'tok_mastercard' }));
    expect(body).toMatchObject({ status: 'active', failure: null });
    expect((await recordsOf(shop, id))[1]).toMatchObject({ status: 'paid', attempts: 2 });
    await advance(shop, clock, '2026-03-01T00:00:00Z');
    expect(await takenFor(shop, await paymentsOf(shop, customerId))).toEqual({ open: 0, net: 3000 });
  });

  test('leaves an unpaid one that is paid by another card, or resumed with a period of its own', async () => {
    const paid = await declining();
    await advance(shop, paid.clock, '2026-02-01T03:00:00Z');
    const replaced = await shop.must(200, command(shop, paid.id, 'payment-method', { cardToken: 'tok_visa' }));
    expect(replaced.body.status).toBe('active');

    const resumed = await declining();
    await advance(shop, resumed.clock, '2026-02-05T00:00:00Z');
    const refused = await command(shop, resumed.id, 'resume');
    expect([refused.status, refused.body.code]).toEqual([402, 'payment_declined']);
    expect((await shown(shop, resumed.id)).status).toBe('unpaid');
  });

  test('of a subscription that is cancelled or paused meanwhile is owed no more', async () => {
    for (const name of ['cancel', 'pause']) {
      const { clock, id } = await declining();
      await advance(shop, clock, renewal);
      await shop.must(200, command(shop, id, name));
      await advance(shop, clock, '2026-06-01T00:00:00Z');
      expect((await recordsOf(shop, id)).map(({ status }) => status)).toEqual(['paid', 'void']);
    }
  });
});

describe('a replaced card', () => {
  test('pays the next renewals', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const customerId = newCustomer();
    const id = await subscribed(shop, { customerId, testClock: clock });
    await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'tok_mastercard' }));
    await advance(shop, clock, renewal);
    const [, { id: paymentId }] = await paymentsOf(shop, customerId);
    expect((await shop.books(paymentId)).map(({ token }) => token)).toEqual(['tok_mastercard']);
  });

  test('that cannot be stored is refused, and the old one stays', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const id = await subscribed(shop, { testClock: clock });
    const refused = await command(shop, id, 'payment-method', { cardToken: 'tok_used' });
    expect([refused.status, refused.body]).toMatchObject([402, { code: 'payment_declined', subscriptionId: id }]);
    await advance(shop, clock, renewal);
    expect((await shown(shop, id)).status).toBe('active');
  });
});
