/** Limits per customer through the API, on a stack of its own with two API processes and two workers. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownStack, quickSettings } from '../../setup/own-stack.js';
import { startSecondApi } from '../../setup/second-api.js';
import { type Answer, eventually, Shop } from '../../shop.js';
import { command, paymentsOf, shown, subscribe } from '../subscriptions/subscriber.js';

const settings = { CUSTOMER_PAYMENTS_PER_MINUTE: '10', CUSTOMER_AMOUNT_PER_DAY: '5000', WORKERS: '2' };
const own = ownStack(settings);
let second: Awaited<ReturnType<typeof startSecondApi>>;
let shops: readonly Shop[];
beforeAll(async () => {
  second = await startSecondApi(own.stack, { ...quickSettings, ...settings });
  shops = [own.shop, new Shop({ ...own.stack, apiUrl: second.url })];
});
afterAll(() => second?.stop());

const newCustomer = () => `cus_${randomUUID()}`;
const pay = (
  customerId: string | null,
  amount: number,
  more: object = {},
  headers: Record<string, string> = {},
  shop = own.shop,
) => {
  const asked = { amount, currency: 'USD', cardToken: 'tok_visa', ...(customerId !== null && { customerId }), ...more };
  return shop.post('/api/payments', asked, { prefer: 'wait=30', ...headers });
};

function expectLimited(answer: Answer): void {
  expect([answer.status, answer.body.code]).toEqual([429, 'customer_limit_reached']);
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBe(answer.body.retryAfterSeconds);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(86_400);
}

describe('a payment', () => {
  test('of fifty at once through two API processes and two workers, exactly as many are taken as the limit allows', async () => {
    const customerId = newCustomer();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => pay(customerId, 700, {}, {}, shops[n % 2])));
    const taken = answers.filter(({ status }) => status === 201);
    expect(taken).toHaveLength(7);
    for (const answer of answers) if (answer.status !== 201) expectLimited(answer);
    const { body } = await own.shop.must(200, own.shop.get(`/api/payments?customerId=${customerId}&limit=200`));
    const captured = body.items.filter(({ status }: { status: string }) => status === 'captured');
    expect(captured).toHaveLength(7);
    for (const { id, status } of body.items)
      expect(await own.shop.books(id)).toHaveLength(status === 'captured' ? 1 : 0);
  });

  test('of twenty at once for small amounts, exactly ten are taken in a minute', async () => {
    const customerId = newCustomer();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => pay(customerId, 1, {}, {}, shops[n % 2])));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    const limited = answers.filter(({ status }) => status !== 201);
    for (const answer of limited) {
      expectLimited(answer);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    }
  });

  test('that is refused frees its amount; one without a customer has no limit', async () => {
    const customerId = newCustomer();
    expect((await pay(customerId, 5000, { cardToken: 'tok_declined' })).status).toBe(402);
    expect((await pay(customerId, 5000)).status).toBe(201);
    expectLimited(await pay(customerId, 1));
    expect((await pay(customerId, 5000, { currency: 'EUR' })).status).toBe(201);
    expect((await pay(null, 99_999)).status).toBe(201);
  });

  test('repeated with its key counts once, and one that was limited is tried again under the same key', async () => {
    const customerId = newCustomer();
    const headers = { 'idempotency-key': randomUUID() };
    const { body: paid } = await own.shop.must(201, pay(customerId, 3000, {}, headers));
    expect((await own.shop.must(201, pay(customerId, 3000, {}, headers))).body).toEqual(paid);
    const later = { 'idempotency-key': randomUUID() };
    const limited = await pay(customerId, 2001, {}, later);
    expectLimited(limited);
    expect((await own.shop.get(`/api/payments/${limited.body.paymentId}`)).body).toMatchObject({
      status: 'failed',
      attempts: [],
    });
    expectLimited(await pay(customerId, 2001, {}, later));
    // A day later: the first one counts no more.
    await agePaymentsOf(customerId);
    const { body: second } = await own.shop.must(201, pay(customerId, 2001, {}, later));
    const again = await own.shop.must(201, pay(customerId, 2001, {}, later));
    expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([second, 'true']);
  });
});

describe('a subscription', () => {
  test('whose first payment is beyond the limit is cancelled and charges nothing; the same call starts one once there is room', async () => {
    const customerId = newCustomer();
    const headers = { 'idempotency-key': randomUUID() };
    const plan = { amount: 4000, currency: 'USD', interval: 'month' };
    await own.shop.must(201, pay(customerId, 3000));
    const limited = await subscribe(own.shop, { customerId, plan }, headers);
    expectLimited(limited);
    expect(await shown(own.shop, limited.body.subscriptionId)).toMatchObject({
      ...{ status: 'cancelled', failure: { code: 'customer_limit_reached' } },
    });
    expect(await paymentsOf(own.shop, customerId)).toHaveLength(1);
    expectLimited(await subscribe(own.shop, { customerId, plan }, headers));
    await agePaymentsOf(customerId);
    const { body } = await own.shop.must(201, subscribe(own.shop, { customerId, plan }, headers));
    expect(body).toMatchObject({ status: 'active', failure: null });
    expectLimited(await pay(customerId, 1001));
  });

  test('whose change or resumption is beyond the limit stays as it is; what they charge counts', async () => {
    const customerId = newCustomer();
    const plan = { amount: 1000, currency: 'USD', interval: 'day' };
    const { body } = await own.shop.must(201, subscribe(own.shop, { customerId, plan }));
    const yearly = (amount: number) => ({ plan: { ...plan, amount, interval: 'year' } });
    const before = await shown(own.shop, body.id);
    expectLimited(await command(own.shop, body.id, 'change', yearly(90_000)));
    expect(await shown(own.shop, body.id)).toEqual(before);
    await own.shop.must(200, command(own.shop, body.id, 'change', yearly(4500)));
    expectLimited(await pay(customerId, 1500));
    await own.shop.must(200, command(own.shop, body.id, 'pause'));
    expectLimited(await command(own.shop, body.id, 'resume'));
    expect((await shown(own.shop, body.id)).status).toBe('paused');
  });
});

/** Makes the payments of a customer a day older. */
async function agePaymentsOf(customerId: string): Promise<void> {
  const sql = postgres(own.stack.databaseUrl, { max: 1 });
  await sql`update customer_spend set at = at - interval '1 day' where customer_id = ${customerId}`;
  await sql.end();
}

describe('an order', () => {
  const ordered = async (customerId: string, quantity: number, more: object = {}) => {
    const sku = await own.shop.product(20);
    const order = {
      lines: [{ sku, quantity }],
      customer: { id: customerId },
      payment: { cardToken: 'tok_visa' },
      ...more,
    };
    return { sku, order: (headers: Record<string, string> = {}) => own.shop.order(order, headers) };
  };

  test('that is paid at once stays reserved where the limit is reached; the same call pays it once there is room', async () => {
    const customerId = newCustomer();
    await own.shop.must(201, pay(customerId, 4000));
    const { sku, order } = await ordered(customerId, 2, { confirm: true });
    const headers = { 'idempotency-key': randomUUID() };
    const limited = await order(headers);
    expectLimited(limited);
    const { orderId } = limited.body;
    expect((await own.shop.get(`/api/orders/${orderId}`)).body).toMatchObject({ status: 'reserved', payment: null });
    expect(await own.shop.path(orderId)).toEqual(['pending', 'reserved']);
    expect(await own.shop.stock(sku)).toMatchObject({ onHand: 20, reserved: 2 });
    const again = await order(headers);
    expectLimited(again);
    expect(again.body.orderId).toBe(orderId);
    await agePaymentsOf(customerId);
    const { body: paid } = await own.shop.must(201, order(headers));
    expect(paid).toMatchObject({ id: orderId, status: 'confirmed', payment: { status: 'captured', amount: 2000 } });
    expect((await own.shop.must(201, order(headers))).headers.get('idempotency-replayed')).toBe('true');
    expect(await own.shop.stock(sku)).toMatchObject({ onHand: 18, reserved: 0 });
  });

  test('that lacks goods is not opened where the limit is reached; the same call opens it once there is room, and pays it when they come', async () => {
    const customerId = newCustomer();
    await own.shop.must(201, pay(customerId, 4000));
    const sku = await own.shop.supplied(1);
    const headers = { 'idempotency-key': randomUUID() };
    const order = () => {
      const lines = [{ sku, quantity: 2 }];
      const bought = { lines, customer: { id: customerId }, confirm: true, payment: { cardToken: 'tok_visa' } };
      return own.shop.order(bought, headers);
    };
    for (let n = 0; n < 2; n++) {
      const limited = await order();
      expectLimited(limited);
      expect(limited.body.orderId).toBeUndefined();
      expect(await own.shop.stock(sku)).toMatchObject({ onHand: 1, reserved: 0 });
    }
    await agePaymentsOf(customerId);
    const { id } = (await order()).body;
    await eventually('the order to be paid', async () => (await own.shop.statusOf(id)) === 'confirmed');
    expectLimited(await pay(customerId, 3001));
  });

  test('cannot be confirmed where the limit is reached; it can be paid outside, and by the same call later', async () => {
    const customerId = newCustomer();
    const [first, other] = [await ordered(customerId, 3), await ordered(customerId, 3)];
    const ids = [];
    for (const { order } of [first, other]) ids.push((await own.shop.must(201, order())).body.id);
    const confirm = (id: string, body: object = {}, headers = {}) =>
      own.shop.post(`/api/orders/${id}/confirm`, body, { prefer: 'wait=30', ...headers });
    await own.shop.must(200, confirm(ids[0]));
    const headers = { 'idempotency-key': randomUUID() };
    expectLimited(await confirm(ids[1], {}, headers));
    expect(await own.shop.statusOf(ids[1])).toBe('reserved');
    await agePaymentsOf(customerId);
    await own.shop.must(200, confirm(ids[1], {}, headers));

    const third = await ordered(customerId, 5, { confirm: true, payment: { method: 'external' } });
    await own.shop.must(201, third.order());
  });

  test('of twenty at once, exactly as many are paid as the limit allows; a refused card frees its amount', async () => {
    const customerId = newCustomer();
    const declined = await ordered(customerId, 5, { confirm: true, payment: { cardToken: 'tok_declined' } });
    expect((await declined.order()).status).toBe(402);
    const orders = await Promise.all(Array.from({ length: 20 }, () => ordered(customerId, 1, { confirm: true })));
    const answers = await Promise.all(orders.map(({ order }) => order()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ body }) => body.code === 'customer_limit_reached')).toHaveLength(15);
  });
});
