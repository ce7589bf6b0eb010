/** Limits per customer: exact under any concurrency, released where no money was taken. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore, type OrderStore } from '../../../db/orders/store.js';
import { takeCustomerLimit } from '../../../db/payments/limits.js';
import { recordPayment } from '../../../db/payments/queries.js';
import type { OrderStep, PaymentRecord } from '../../../domain/orders/steps.js';
import type { LimitedPayment } from '../../../domain/payments/limits.js';
import type { PaymentStatus } from '../../../domain/payments/states.js';
import { Books } from '../books.js';
import { orderOpening, stepBy } from '../orders/opening.js';

let books: Books;
let store: OrderStore;
beforeAll(async () => {
  books = await Books.open();
  store = createOrderStore(books.sql);
});
afterAll(() => books.close());

const newPaymentId = () => `pay_${randomUUID().replaceAll('-', '')}`;
const newCustomer = () => `cus_${randomUUID()}`;
const perMinute = (paymentsPerMinute: number) => ({ paymentsPerMinute, amountPerDay: null });
const perDay = (amountPerDay: number) => ({ paymentsPerMinute: null, amountPerDay });

function paymentOf(customerId: string | null, limits: LimitedPayment['limits'], amount = 100): LimitedPayment {
  return { paymentId: newPaymentId(), customerId, amount, currency: 'USD', limits };
}
const take = (payment: LimitedPayment, sql = books.sql) => takeCustomerLimit(sql, payment);

async function decide({ paymentId: id, amount, currency, customerId }: LimitedPayment, status: PaymentStatus) {
  const none = {
    orderId: null,
    email: null,
    reference: null,
    fraudScore: null,
    providerReference: null,
    failure: null,
  };
  const record: PaymentRecord = {
    id,
    amount,
    currency,
    customerId,
    status,
    cardUsed: null,
    attempts: [],
    ...none,
  } as PaymentRecord;
  await recordPayment(books.sql, record, []);
}

/** Moves a payment into the past. */
const age = ({ paymentId }: LimitedPayment, interval: string) =>
  books.sql`update customer_spend set at = at - ${interval}::interval where payment_id = ${paymentId}`;

describe('payments per minute', () => {
  test('are counted over the last sixty seconds, and the refusal tells when there is room', async () => {
    const customer = newCustomer();
    const [first, second] = [paymentOf(customer, perMinute(2)), paymentOf(customer, perMinute(2))];
    expect([await take(first), await take(second)]).toEqual([null, null]);
    await age(first, '40 seconds');
    expect(await take(paymentOf(customer, perMinute(2)))).toBe(20);
    expect(await take(paymentOf(newCustomer(), perMinute(2)))).toBeNull();
    await age(first, '21 seconds');
    expect(await take(paymentOf(customer, perMinute(2)))).toBeNull();
    expect(await take(paymentOf(customer, perMinute(2)))).toBe(60);
  });

  test('count those that were refused, and a repeated one once', async () => {
    const customer = newCustomer();
    const first = paymentOf(customer, perMinute(2));
    for (let n = 0; n < 3; n++) expect(await take(first)).toBeNull();
    await decide(first, 'declined');
    expect(await take(paymentOf(customer, perMinute(2)))).toBeNull();
    expect(await take(paymentOf(customer, perMinute(2)))).toBe(60);
  });
});

describe('the amount of a day', () => {
  test('counts what is in flight and captured, up to the limit itself, in each currency', async () => {
    const customer = newCustomer();
    const first = paymentOf(customer, perDay(1000), 600);
    expect(await take(first)).toBeNull();
    expect(await take(paymentOf(customer, perDay(1000), 401))).toBe(86_400);
    expect(await take(paymentOf(customer, perDay(1000), 400))).toBeNull();
    await decide(first, 'captured');
    expect(await take(paymentOf(customer, perDay(1000), 1))).toBe(86_400);
    expect(await take({ ...paymentOf(customer, perDay(1000), 1000), currency: 'EUR' })).toBeNull();
  });

  test.each(['declined', 'blocked', 'failed', 'voided', 'refunded'] as const)(
    'is free again after a payment that ends %s',
    async (status) => {
      const customer = newCustomer();
      const first = paymentOf(customer, perDay(1000), 1000);
      expect(await take(first)).toBeNull();
      expect(await take(paymentOf(customer, perDay(1000), 1))).not.toBeNull();
      await decide(first, status);
      expect(await take(paymentOf(customer, perDay(1000), 1000))).toBeNull();
    },
  );

  test('has room when enough of the oldest payments are a day old; more than the limit never fits', async () => {
    const customer = newCustomer();
    const payments = [300, 300, 300].map((amount) => paymentOf(customer, perDay(1000), amount));
    for (const [index, payment] of payments.entries()) {
      expect(await take(payment)).toBeNull();
      await age(payment, `${3 - index} hours`);
    }
    // 100 are left: the oldest must go for 400, two for 700.
    expect(await take(paymentOf(customer, perDay(1000), 400))).toBe(21 * 3600);
    expect(await take(paymentOf(customer, perDay(1000), 700))).toBe(22 * 3600);
    expect(await take(paymentOf(customer, perDay(1000), 1001))).toBe(86_400);
    expect(await take(paymentOf(customer, perDay(1000), 100))).toBeNull();
  });
});

test('nothing is limited without a limit or a customer', async () => {
  const customer = newCustomer();
  const none = { paymentsPerMinute: null, amountPerDay: null };
  for (let n = 0; n < 3; n++) {
    expect(await take(paymentOf(customer, none, 99_999_999))).toBeNull();
    expect(await take(paymentOf(null, { paymentsPerMinute: 1, amountPerDay: 1 }))).toBeNull();
  }
});

test('of fifty at once, by three processes, exactly as many pass as the limits allow', async () => {
  const others = [books.another(8), books.another(8), books.another(8)];
  const all = async (limits: LimitedPayment['limits']) => {
    const customer = newCustomer();
    const waits = await Promise.all(
      Array.from({ length: 50 }, (_, n) => take(paymentOf(customer, limits), others[n % 3]?.sql)),
    );
    return waits.filter((wait) => wait === null).length;
  };
  expect([await all(perMinute(7)), await all(perDay(1250))]).toEqual([7, 12]);
  await Promise.all(others.map((other) => other.close()));
});

describe('an order', () => {
  const limits = perDay(1000);

  async function opening(customerId: string, more: Partial<Extract<OrderStep, { step: 'open' }>> = {}) {
    const sku = await books.newSku(20);
    const open = { ...orderOpening([{ sku, quantity: 6 }]), customer: { id: customerId } };
    const payment = { paymentId: newPaymentId(), choice: { cardToken: 'tok_visa' } };
    return { sku, open: { ...open, confirming: true, payment, limits, ...more }, payment };
  }
  const spentBy = async (customer: string) => {
    const [row] = await books.sql<{ spent: number }[]>`
      select coalesce(sum(amount), 0)::float8 as spent from customer_spend where customer_id = ${customer} and not released`;
    return row?.spent;
  };

  test('that would be paid at once stays reserved, with its hold, where the limit is reached', async () => {
    const customer = newCustomer();
    const first = await opening(customer);
    expect(await store.apply(first.open)).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
    const second = await opening(customer);
    const limited = await store.apply(second.open);
    expect(limited).toMatchObject({
      outcome: 'done',
      retryAfterSeconds: 86_400,
      state: { status: 'reserved', inFlight: null },
    });
    expect(limited.state?.expiresInMs).toBeGreaterThan(0);
    expect(await store.apply(second.open)).toMatchObject({ retryAfterSeconds: 86_400 });
    const holds = await books.sql`
      select status, expires_at is not null as expires from reservations where order_id = ${second.open.orderId}`;
    expect(holds).toEqual([{ status: 'pending', expires: true }]);
    expect(await spentBy(customer)).toBe(600);
  });

  test('cannot be confirmed where the limit is reached, and can be once there is room', async () => {
    const customer = newCustomer();
    const blocking = paymentOf(customer, limits, 600);
    await take(blocking);
    const { open, payment } = await opening(customer, { confirming: false, payment: null });
    const { orderId } = open;
    expect(await store.apply(open)).toMatchObject({ state: { status: 'reserved' } });
    const confirm: OrderStep = { step: 'begin_confirm', ...stepBy(orderId, 'one'), payment, limits };
    const refused = await store.apply(confirm);
    expect(refused).toMatchObject({
      outcome: 'refused',
      state: { status: 'reserved' },
      refusal: { code: 'customer_limit_reached' },
    });
    await decide(blocking, 'declined');
    // The same command keeps its answer; another one is decided anew.
    expect(await store.apply(confirm)).toMatchObject({ outcome: 'refused' });
    const again = { ...confirm, ...stepBy(orderId, 'two'), payment: { ...payment, paymentId: newPaymentId() } };
    expect(await store.apply(again)).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
    expect(await spentBy(customer)).toBe(600);
  });

  test('that lacks stock counts nothing', async () => {
    const customer = newCustomer();
    const { open } = await opening(customer);
    const lacking = { ...open, lines: open.lines.map((line) => ({ ...line, quantity: 21 })), limits: perDay(10_000) };
    expect(await store.apply(lacking)).toMatchObject({ state: { status: 'failed' } });
    expect(await spentBy(customer)).toBe(0);
  });

  test('that waited for its goods is paid when they come, whatever the limit says by then, and counts from then on', async () => {
    const customer = newCustomer();
    const { open, shortage, payment } = await backOrder(customer);
    expect(await spentBy(customer)).toBe(0);
    await take(paymentOf(customer, limits, 1000));
    const restock: OrderStep = {
      step: 'restock',
      ...stepBy(open.orderId, 'goods'),
      ...shortage,
      ...{ reference: 'sres_1', reason: 'came', holdSeconds: 900, confirming: true, payment, limits },
    };
    const paying = { outcome: 'done', state: { status: 'confirming', inFlight: { paymentId: payment.paymentId } } };
    expect(await store.apply(restock)).toMatchObject(paying);
    expect(await store.apply(restock)).toMatchObject(paying);
    expect(await spentBy(customer)).toBe(1600);
    expect(await take(paymentOf(customer, perDay(2000), 401))).not.toBeNull();
    expect(await take(paymentOf(customer, perDay(2000), 400))).toBeNull();
  });

  test('that lacks goods is not opened where the limit is reached: nothing is held, and nothing ordered', async () => {
    const customer = newCustomer();
    await take(paymentOf(customer, limits, 600));
    const { sku, open } = await lackingGoods(customer);
    const refused = { outcome: 'refused', state: null, refusal: { code: 'customer_limit_reached' } };
    expect(await store.apply(open)).toMatchObject(refused);
    expect(await store.apply(open)).toMatchObject(refused);
    expect(await books.levels(sku)).toMatchObject([{ onHand: 2, reserved: 0 }]);
    expect(await books.sql`select id from orders where id = ${open.orderId}`).toEqual([]);
    expect(await spentBy(customer)).toBe(600);
  });

  /** An order of six of which two are there; a supplier has the rest. */
  async function lackingGoods(customer: string) {
    const { open, payment } = await opening(customer);
    const sku = await books.newSku(2);
    await books.sql`insert into suppliers (id, name, active, min_order_quantity, max_order_quantity, created_by)
                    values ('sup_limits', 'Limits', true, 1, 1000, 'books') on conflict do nothing`;
    await books.sql`update products set supplier_id = 'sup_limits' where sku = ${sku}`;
    return { sku, payment, open: { ...open, lines: orderOpening([{ sku, quantity: 6 }]).lines } };
  }

  async function backOrder(customer: string) {
    const { open, payment } = await lackingGoods(customer);
    const opened = await store.apply(open);
    expect(opened).toMatchObject({ state: { status: 'awaiting_restock' } });
    const [shortage] = (opened.outcome === 'done' && opened.shortages) || [];
    if (shortage === undefined) throw new Error('the order lacks nothing');
    const { line, quantity, reservationId } = shortage;
    return { open, payment, shortage: { line, quantity, reservationId } };
  }

  test('of forty at once in batches of several processes, exactly those that fit are confirming, and no call waits for ever', async () => {
    const customers = [newCustomer(), newCustomer()];
    const others = [books.another(4), books.another(4)];
    const stores = others.map(({ sql }) => createOrderStore(sql));
    const orders = await Promise.all(
      Array.from({ length: 40 }, (_, n) => opening(customers[n % 2] ?? '', { limits: perDay(3000) })),
    );
    const results = await Promise.all(orders.map(({ open }, n) => stores[(n >> 1) % 2]?.apply(open)));
    for (const which of [0, 1]) {
      const statuses = results.filter((_, n) => n % 2 === which).map((result) => result?.state?.status);
      expect(statuses.filter((status) => status === 'confirming')).toHaveLength(5);
      expect(statuses.filter((status) => status === 'reserved')).toHaveLength(15);
    }
    await Promise.all(others.map((other) => other.close()));
  });
});
