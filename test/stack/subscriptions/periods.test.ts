/** Subscriptions through their periods: the start, renewals, anchors, and the end of a month. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { newEmail } from '../../shop.js';
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
const starts = (records: readonly { period: { start: string } }[]) => records.map(({ period }) => period.start);

describe('a subscription that starts now', () => {
  test('is active, has paid its first period, and shows all that was asked for', async () => {
    const clock = await clockAt(shop, '2026-01-15T09:30:00Z');
    const customerId = newCustomer();
    const { body } = await shop.must(201, subscribe(shop, { customerId, testClock: clock, email: newEmail() }));
    expect(body).toEqual({
      ...{ id: expect.stringMatching(/^sub_/), status: 'active', customerId, plan: monthly },
      currentPeriod: { start: at('2026-01-15T09:30:00Z'), end: at('2026-02-15T09:30:00Z') },
      ...{ anchor: at('2026-01-15T09:30:00Z'), cancelAtPeriodEnd: false, creditBalance: 0, testClock: clock },
      ...{ failure: null, createdAt: expect.any(String) },
    });
    const [record, ...more] = await recordsOf(shop, body.id);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      ...{ id: expect.stringMatching(/^bil_/), kind: 'period', period: body.currentPeriod, status: 'paid' },
      ...{ amount: 1000, credit: 0, charged: 1000, attempts: 1 },
      lines: [{ from: body.currentPeriod.start, to: body.currentPeriod.end, amount: 1000 }],
    });
    const payments = await paymentsOf(shop, customerId);
    expect(payments).toMatchObject([{ id: record.paymentId, status: 'captured', amount: 1000 }]);
    expect(await takenFor(shop, payments)).toEqual({ open: 0, net: 1000 });
  });

  test('in real time begins with the present second', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const { body } = await shop.must(201, subscribe(shop));
    const start = Date.parse(body.currentPeriod.start);
    expect([start >= before, start <= Date.now(), start % 1000]).toEqual([true, true, 0]);
    await shop.must(200, command(shop, body.id, 'cancel'));
  });

  test('whose card is refused is kept as cancelled, with its failure and nothing taken', async () => {
    const customerId = newCustomer();
    const refused = await subscribe(shop, { customerId, cardToken: 'tok_insufficient_funds' });
    expect([refused.status, refused.body.code]).toEqual([402, 'insufficient_funds']);
    const id = refused.body.subscriptionId;
    expect(await shown(shop, id)).toMatchObject({
      ...{ status: 'cancelled', currentPeriod: null, failure: { code: 'insufficient_funds' } },
    });
    expect((await recordsOf(shop, id)).map(({ status }) => status)).toEqual(['failed']);
    expect(await takenFor(shop, await paymentsOf(shop, customerId))).toEqual({ open: 0, net: 0 });
  });

  test('with a token that was used before is refused, and kept as cancelled', async () => {
    const { status, body } = await subscribe(shop, { cardToken: 'tok_used' });
    expect([status, body.code]).toEqual([402, 'payment_declined']);
    expect((await shown(shop, body.subscriptionId)).status).toBe('cancelled');
  });

  test('is paid by the backup card where the first is declined', async () => {
    const customerId = newCustomer();
    const cards = { cardToken: 'tok_declined', backupCardToken: 'tok_mastercard' };
    await shop.must(201, subscribe(shop, { customerId, ...cards }));
    const payments = await paymentsOf(shop, customerId);
    expect(payments).toMatchObject([{ status: 'captured', cardUsed: 'backup' }]);
    expect(await takenFor(shop, payments)).toEqual({ open: 0, net: 1000 });
  });

  test('is started once, however often the call is repeated with its key', async () => {
    const request = { customerId: newCustomer(), plan: monthly, cardToken: 'tok_visa' };
    const key = { 'idempotency-key': randomUUID() };
    const [one, two] = [await subscribe(shop, request, key), await subscribe(shop, request, key)];
    expect([one.status, two.status, two.body.id]).toEqual([201, 201, one.body.id]);
    expect(await paymentsOf(shop, request.customerId)).toHaveLength(1);
  });

  test('for nothing asks no processor', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const customerId = newCustomer();
    const id = await subscribed(shop, { customerId, plan: { ...monthly, amount: 0 }, testClock: clock });
    await advance(shop, clock, '2026-03-01T00:00:00Z');
    expect(await recordsOf(shop, id)).toMatchObject(
      Array(3).fill({ amount: 0, charged: 0, paymentId: null, status: 'paid', attempts: 0 }),
    );
    expect(await paymentsOf(shop, customerId)).toEqual([]);
  });
});

describe('renewals', () => {
  test('follow the anchor: 31 January, 28 February, 31 March', async () => {
    const clock = await clockAt(shop, '2026-01-31T23:59:59Z');
    const customerId = newCustomer();
    const id = await subscribed(shop, { customerId, testClock: clock });
    await advance(shop, clock, '2026-05-01T00:00:00Z');
    const records = await recordsOf(shop, id);
    expect(starts(records)).toEqual(
      ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30'].map((day) => at(`${day}T23:59:59Z`)),
    );
    for (const [n, { period }] of records.slice(1).entries()) expect(period.start).toBe(records[n]?.period.end);
    expect(await takenFor(shop, await paymentsOf(shop, customerId))).toEqual({ open: 0, net: 4000 });
    expect(await shown(shop, id)).toMatchObject({
      currentPeriod: { start: at('2026-04-30T23:59:59Z'), end: at('2026-05-31T23:59:59Z') },
    });
  });

  test('are not scored as fraud: the customer has no part in them', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const customerId = newCustomer();
    await subscribed(shop, { customerId, testClock: clock });
    await advance(shop, clock, '2026-02-01T00:00:00Z');
    const [first, renewal] = await paymentsOf(shop, customerId);
    expect([first.fraudScore > 0, renewal.fraudScore]).toEqual([true, 0]);
  });

  test.each([
    ['day', '2026-01-04T00:00:00Z', 4],
    ['week', '2026-01-22T00:00:00Z', 4],
    ['year', '2028-01-01T00:00:00Z', 3],
  ])('by %s: all that is due up to %s is paid, the last instant included', async (interval, to, count) => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const id = await subscribed(shop, { plan: { ...monthly, interval }, testClock: clock });
    await advance(shop, clock, to);
    const records = await recordsOf(shop, id);
    expect([records.length, starts(records).at(-1)]).toEqual([count, at(to)]);
  });

  test('of many subscriptions on one clock are all done', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const ids = await Promise.all(Array.from({ length: 8 }, () => subscribed(shop, { testClock: clock })));
    await advance(shop, clock, '2026-03-01T00:00:00Z');
    for (const id of ids) expect(await recordsOf(shop, id)).toHaveLength(3);
  });
});

describe('an anchor day', () => {
  test('makes the first period a stub, charged in proportion to the whole period', async () => {
    const clock = await clockAt(shop, '2026-04-16T00:00:00Z');
    const id = await subscribed(shop, { plan: { ...monthly, amount: 3000 }, testClock: clock, anchorDay: 1 });
    await advance(shop, clock, '2026-05-01T00:00:00Z');
    expect(await recordsOf(shop, id)).toMatchObject([
      // 15 of the 30 days of April.
      { period: { start: at('2026-04-16T00:00:00Z'), end: at('2026-05-01T00:00:00Z') }, charged: 1500 },
      { period: { start: at('2026-05-01T00:00:00Z'), end: at('2026-06-01T00:00:00Z') }, charged: 3000 },
    ]);
    expect((await shown(shop, id)).anchor).toBe(at('2026-05-01T00:00:00Z'));
  });

  test.each(['day', 'week'])('is refused for a plan by %s', async (interval) => {
    const { status, body } = await subscribe(shop, { plan: { ...monthly, interval }, anchorDay: 1 });
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'validation_failed', '/anchorDay']);
  });
});

describe('a later start', () => {
  test('is scheduled, charges nothing before, and is active from then on', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const customerId = newCustomer();
    const startAt = '2026-01-10T12:00:00Z';
    const { body } = await shop.must(201, subscribe(shop, { customerId, testClock: clock, startAt }));
    expect(body).toMatchObject({ status: 'scheduled', currentPeriod: null });
    await advance(shop, clock, '2026-01-10T11:59:59Z');
    expect([await paymentsOf(shop, customerId), await recordsOf(shop, body.id)]).toEqual([[], []]);
    await advance(shop, clock, startAt);
    expect(await shown(shop, body.id)).toMatchObject({ status: 'active', currentPeriod: { start: at(startAt) } });
    expect(await takenFor(shop, await paymentsOf(shop, customerId))).toEqual({ open: 0, net: 1000 });
  });

  test('whose first charge is refused is cancelled', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    const request = { testClock: clock, startAt: '2026-01-10T00:00:00Z', cardToken: 'tok_declined' };
    const { body } = await shop.must(201, subscribe(shop, request));
    await advance(shop, clock, '2026-01-11T00:00:00Z');
    expect(await shown(shop, body.id)).toMatchObject({ status: 'cancelled', failure: { code: 'payment_declined' } });
  });

  test('before now is refused, by the clock that it follows', async () => {
    const clock = await clockAt(shop, '2030-01-01T00:00:00Z');
    for (const more of [{ startAt: '2020-01-01T00:00:00Z' }, { startAt: '2029-12-31T23:59:59Z', testClock: clock }]) {
      const { status, body } = await subscribe(shop, more);
      expect([status, body.errors[0].pointer]).toEqual([422, '/startAt']);
    }
  });
});
