/** Changes of plan, cancellations, pauses and resumptions. */
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import {
  advance,
  at,
  clockAt,
  command,
  monthly,
  newCustomer,
  paymentsOf,
  recordsOf,
  shown,
  subscribe,
  subscribed,
  takenFor,
} from './subscriber.js';

const shop = sharedShop();
const half = '2026-04-16T00:00:00Z';
const end = '2026-05-01T00:00:00Z';

/** A subscription of 10.00 USD a month that began on 1 April, of 30 days. */
async function inApril(request: object = {}) {
  const clock = await clockAt(shop, '2026-04-01T00:00:00Z');
  const customerId = newCustomer();
  const id = await subscribed(shop, { customerId, testClock: clock, ...request });
  const taken = async () => (await takenFor(shop, await paymentsOf(shop, customerId))).net;
  return { clock, customerId, id, taken };
}

describe('a change of plan', () => {
  test('to a higher price charges the difference for the rest of the period now', async () => {
    const { clock, id, taken } = await inApril();
    await advance(shop, clock, half);
    const { body } = await shop.must(200, command(shop, id, 'change', { plan: { ...monthly, amount: 2000 } }));
    expect(body).toMatchObject({
      plan: { amount: 2000 },
      currentPeriod: { start: at('2026-04-01T00:00:00Z'), end: at(end) },
    });
    expect(body.proration).toMatchObject({ credit: 500, charge: 1000, net: 500 });
    expect([body.proration.from, body.proration.to]).toEqual([at(half), at(end)]);
    expect(await recordsOf(shop, id)).toMatchObject([
      { kind: 'period', charged: 1000 },
      {
        kind: 'proration',
        amount: 500,
        credit: 0,
        charged: 500,
        status: 'paid',
        lines: [{ amount: -500 }, { amount: 1000 }],
      },
    ]);
    await advance(shop, clock, end);
    expect(await taken()).toBe(1000 + 500 + 2000);
  });

  test('to a lower price is credit, which the next records use', async () => {
    const { clock, id, taken } = await inApril({ plan: { ...monthly, amount: 3000 } });
    await advance(shop, clock, half);
    const { body } = await shop.must(200, command(shop, id, 'change', { plan: monthly }));
    expect([body.proration.net, body.creditBalance]).toEqual([-1000, 1000]);
    await advance(shop, clock, end);
    expect((await recordsOf(shop, id)).at(-1)).toMatchObject({
      ...{ kind: 'period', amount: 1000, credit: 1000, charged: 0, paymentId: null, status: 'paid' },
    });
    expect([(await shown(shop, id)).creditBalance, await taken()]).toEqual([0, 3000]);
    await advance(shop, clock, '2026-06-01T00:00:00Z');
    expect(await taken()).toBe(4000);
  });

  test('there and back in one second nets nothing', async () => {
    const { clock, id, taken } = await inApril();
    await advance(shop, clock, '2026-04-11T08:17:03Z');
    const there = await shop.must(200, command(shop, id, 'change', { plan: { ...monthly, amount: 1733 } }));
    const back = await shop.must(200, command(shop, id, 'change', { plan: monthly }));
    expect(there.body.proration.net + back.body.proration.net).toBe(0);
    expect((await taken()) - back.body.creditBalance).toBe(1000);
  });

  test('to another interval starts a new period now, at its full price less the credit', async () => {
    const { clock, id, taken } = await inApril();
    await advance(shop, clock, half);
    const plan = { ...monthly, amount: 9000, interval: 'year' };
    const { body } = await shop.must(200, command(shop, id, 'change', { plan }));
    expect(body.proration).toMatchObject({ credit: 500, charge: 9000, net: 8500 });
    expect(body).toMatchObject({
      ...{ anchor: at(half), currentPeriod: { start: at(half), end: at('2027-04-16T00:00:00Z') } },
    });
    expect((await recordsOf(shop, id)).at(-1)).toMatchObject({ kind: 'proration', period: body.currentPeriod });
    await advance(shop, clock, '2027-04-16T00:00:00Z');
    expect(await taken()).toBe(1000 + 8500 + 9000);
  });

  test('whose difference the card does not pay changes nothing', async () => {
    const { clock, id, taken } = await inApril();
    await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'tok_declined' }));
    await advance(shop, clock, half);
    const before = await shown(shop, id);
    const refused = await command(shop, id, 'change', { plan: { ...monthly, amount: 2000 } });
    expect([refused.status, refused.body]).toMatchObject([402, { code: 'payment_declined', subscriptionId: id }]);
    expect([await shown(shop, id), await taken()]).toEqual([before, 1000]);
  });

  test('to another currency is refused', async () => {
    const { id } = await inApril();
    const { status, body } = await command(shop, id, 'change', { plan: { ...monthly, currency: 'EUR' } });
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'validation_failed', '/plan/currency']);
  });

  test('is scored like any payment: the customer is there', async () => {
    const { clock, id, taken } = await inApril();
    await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'tok_fraud' }));
    await advance(shop, clock, half);
    const { body } = await shop.must(402, command(shop, id, 'change', { plan: { ...monthly, amount: 2000 } }));
    expect(body.code).toBe('fraud_suspected');
    expect([(await shown(shop, id)).plan.amount, await taken()]).toEqual([1000, 1000]);
  });

  test('of a scheduled or paused one costs nothing', async () => {
    const clock = await clockAt(shop, '2026-04-01T00:00:00Z');
    const scheduled = await shop.must(201, subscribe(shop, { testClock: clock, startAt: end }));
    const plan = { ...monthly, amount: 700 };
    for (const id of [scheduled.body.id, await pausedOne(clock)]) {
      const { body } = await shop.must(200, command(shop, id, 'change', { plan }));
      expect(body).toMatchObject({ plan, proration: { credit: 0, charge: 0, net: 0 } });
    }
    await advance(shop, clock, end);
    expect(await recordsOf(shop, scheduled.body.id)).toMatchObject([{ charged: 700 }]);
  });
});

async function pausedOne(clock: string): Promise<string> {
  const id = await subscribed(shop, { testClock: clock });
  await shop.must(200, command(shop, id, 'pause'));
  return id;
}

describe('a cancellation', () => {
  test('now ends it at once, and refunds nothing', async () => {
    const { clock, id, taken } = await inApril();
    const { body } = await shop.must(200, command(shop, id, 'cancel'));
    expect(body).toMatchObject({ status: 'cancelled', currentPeriod: null, failure: null });
    await advance(shop, clock, '2026-07-01T00:00:00Z');
    expect([await taken(), (await recordsOf(shop, id)).length]).toEqual([1000, 1]);
  });

  test('at the end of the period charges nothing more, and can be withdrawn before', async () => {
    const { clock, id, taken } = await inApril();
    const ending = await shop.must(200, command(shop, id, 'cancel', { atPeriodEnd: true }));
    expect(ending.body).toMatchObject({ status: 'active', cancelAtPeriodEnd: true });
    const kept = await shop.must(200, command(shop, id, 'resume'));
    expect(kept.body).toMatchObject({ status: 'active', cancelAtPeriodEnd: false });
    await shop.must(200, command(shop, id, 'cancel', { atPeriodEnd: true }));
    await advance(shop, clock, '2026-04-30T23:59:59Z');
    expect((await shown(shop, id)).status).toBe('active');
    await advance(shop, clock, end);
    expect([(await shown(shop, id)).status, await taken()]).toEqual(['cancelled', 1000]);
  });

  test('of a scheduled one charges nothing ever', async () => {
    const clock = await clockAt(shop, '2026-04-01T00:00:00Z');
    const customerId = newCustomer();
    const { body } = await shop.must(201, subscribe(shop, { customerId, testClock: clock, startAt: end }));
    await shop.must(200, command(shop, body.id, 'cancel'));
    await advance(shop, clock, '2026-06-01T00:00:00Z');
    expect([await paymentsOf(shop, customerId), (await shown(shop, body.id)).status]).toEqual([[], 'cancelled']);
  });
});

describe('a pause', () => {
  test('keeps a cancellation at the end of the period in mind; a resumption withdraws it', async () => {
    const { id } = await inApril();
    await shop.must(200, command(shop, id, 'cancel', { atPeriodEnd: true }));
    const paused = await shop.must(200, command(shop, id, 'pause'));
    expect(paused.body).toMatchObject({ status: 'paused', cancelAtPeriodEnd: true });
    const resumed = await shop.must(200, command(shop, id, 'resume'));
    expect(resumed.body).toMatchObject({ status: 'active', cancelAtPeriodEnd: false });
  });

  test('stops the charges until a resumption, which starts and charges a period of its own', async () => {
    const { clock, id, taken } = await inApril();
    const { body } = await shop.must(200, command(shop, id, 'pause'));
    expect(body).toMatchObject({ status: 'paused', currentPeriod: null });
    await advance(shop, clock, '2026-08-10T06:00:00Z');
    expect(await taken()).toBe(1000);
    const resumed = await shop.must(200, command(shop, id, 'resume'));
    const start = at('2026-08-10T06:00:00Z');
    expect(resumed.body).toMatchObject({
      ...{ status: 'active', anchor: start, currentPeriod: { start, end: at('2026-09-10T06:00:00Z') } },
    });
    await advance(shop, clock, '2026-09-10T06:00:00Z');
    expect(await taken()).toBe(3000);
  });

  test('whose resumption the card does not pay stays', async () => {
    const { id, taken } = await inApril();
    await shop.must(200, command(shop, id, 'pause'));
    await shop.must(200, command(shop, id, 'payment-method', { cardToken: 'tok_declined' }));
    const refused = await command(shop, id, 'resume');
    expect([refused.status, refused.body.code]).toEqual([402, 'payment_declined']);
    expect([(await shown(shop, id)).status, await taken()]).toEqual(['paused', 1000]);
  });

  test('and a resumption in the second in which it began are two periods', async () => {
    const { id, taken } = await inApril();
    await shop.must(200, command(shop, id, 'pause'));
    await shop.must(200, command(shop, id, 'resume'));
    expect([(await recordsOf(shop, id)).length, await taken()]).toEqual([2, 2000]);
  });
});

describe('a command that does not fit', () => {
  test.each([
    ['active', [], ['resume']],
    ['paused', ['pause'], ['pause']],
    ['cancelled', ['cancel'], ['cancel', 'pause', 'resume', 'change', 'payment-method']],
  ] as const)('the state %s is refused: %j then %j', async (from, before, commands) => {
    const { id } = await inApril();
    for (const name of before) await shop.must(200, command(shop, id, name));
    for (const name of commands) {
      const body = { change: { plan: monthly }, 'payment-method': { cardToken: 'tok_visa' } };
      const refused = await command(shop, id, name, name in body ? body[name as keyof typeof body] : {});
      expect([name, refused.status, refused.body]).toMatchObject([
        ...[name, 409],
        { code: 'invalid_state', from, to: expect.any(String), subscriptionId: id },
      ]);
    }
  });

  test('of a subscription that does not exist is 404', async () => {
    const id = 'sub_00000000000000000000000000000000';
    for (const name of ['cancel', 'pause', 'resume']) expect((await command(shop, id, name)).status).toBe(404);
    for (const path of [`/api/subscriptions/${id}`, `/api/subscriptions/${id}/billing-records`, '/api/subscriptions/x'])
      expect((await shop.get(path)).status).toBe(404);
  });
});
