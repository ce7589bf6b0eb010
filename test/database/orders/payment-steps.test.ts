/**
 * The database decides between settling a payment and giving its card up: whichever a workflow task has done before it was
 * lost stands, whatever the next one wants.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore, type OrderStore } from '../../../db/orders/store.js';
import { abandonPayment, recordPayment } from '../../../db/payments/queries.js';
import type { OrderStep, PaymentRecord } from '../../../domain/orders/steps.js';
import { sharedShop } from '../../shared.js';
import { eventually, holdings } from '../../shop.js';
import { Books } from '../books.js';

let books: Books;
let store: OrderStore;
beforeAll(async () => {
  books = await Books.open();
  store = createOrderStore(books.sql);
});
afterAll(() => books.close());

const newPaymentId = () => `pay_${randomUUID().replaceAll('-', '')}`;
const by = (orderId: string, key: string) => ({ key: `order/${orderId}/${key}`, orderId, actor: 'test', traceId: '' });

function captured(id: string, orderId: string | null): PaymentRecord {
  return {
    id,
    status: 'captured',
    amount: 1000,
    currency: 'USD',
    orderId,
    customerId: null,
    email: null,
    reference: orderId,
    cardUsed: 'primary',
    fraudScore: 0.1,
    attempts: [],
    providerReference: 'auth_1',
    failure: null,
  };
}

/** An order of one unit whose payment has begun. */
async function confirming() {
  const sku = await books.newSku(3);
  const orderId = `ord_${randomUUID()}`;
  const paymentId = newPaymentId();
  const opening: OrderStep = {
    step: 'open',
    ...by(orderId, 'open'),
    workflowId: `order/${orderId}`,
    customer: null,
    lines: [{ sku, quantity: 1, location: 'main', reservationId: `rsv_${randomUUID()}` }],
    holdSeconds: 900,
    draftSeconds: 900,
    confirming: true,
    payment: { paymentId, choice: { cardToken: 'tok_visa' } },
  };
  expect(await store.apply(opening)).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
  const abandon: OrderStep = { step: 'abandon_card', ...by(orderId, 'abandon'), paymentId, card: 'primary' };
  const settle: OrderStep = {
    step: 'settle',
    ...by(orderId, 'settle'),
    payment: captured(paymentId, orderId),
    mails: [],
  };
  const level = async () =>
    (await books.levels(sku)).map(({ onHand, reserved }: { onHand: number; reserved: number }) => [onHand, reserved]);
  return { orderId, paymentId, abandon, settle, level };
}

describe('a card of an order', () => {
  test('that was given up settles nothing: the goods stay held until the order is ended', async () => {
    const { orderId, paymentId, abandon, settle, level } = await confirming();
    expect(await store.apply(abandon)).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
    expect(await store.apply(settle)).toMatchObject({ outcome: 'refused', state: { status: 'confirming' } });
    expect(await level()).toEqual([[3, 1]]);
    // Another card may still pay.
    const other = { ...captured(paymentId, orderId), cardUsed: 'backup' } as const;
    const settled = await store.apply({ ...settle, ...by(orderId, 'settle-backup'), payment: other });
    expect(settled).toMatchObject({ outcome: 'done', state: { status: 'confirmed' } });
    expect(await level()).toEqual([[2, 0]]);
  });

  test('that has settled cannot be given up any more', async () => {
    const { abandon, settle, level } = await confirming();
    expect(await store.apply(settle)).toMatchObject({ outcome: 'done', state: { status: 'confirmed' } });
    expect(await store.apply(abandon)).toMatchObject({ outcome: 'refused', state: { status: 'confirmed' } });
    expect(await level()).toEqual([[2, 0]]);
  });

  test('that is given up and settled at once by two workers does one of them', async () => {
    const another = createOrderStore(books.another().sql);
    for (let round = 0; round < 20; round++) {
      const { abandon, settle, level } = await confirming();
      const [given, settled] = await Promise.all([store.apply(abandon), another.apply(settle)]);
      expect([given.outcome, settled.outcome].sort()).toEqual(['done', 'refused']);
      expect(await level()).toEqual(settled.outcome === 'done' ? [[2, 0]] : [[3, 1]]);
    }
  });
});

describe('a card of a payment of its own', () => {
  test('that was given up records no capture', async () => {
    const payment = captured(newPaymentId(), null);
    const pending = { ...payment, status: 'pending', cardUsed: null } as const;
    expect((await abandonPayment(books.sql, pending, 'primary')).status).toBe('pending');
    expect((await recordPayment(books.sql, payment, [])).status).toBe('pending');
    const failed = { ...payment, status: 'failed', cardUsed: null } as const;
    expect((await recordPayment(books.sql, failed, [])).status).toBe('failed');
  });

  test('that was captured stays captured', async () => {
    const payment = captured(newPaymentId(), null);
    expect((await recordPayment(books.sql, payment, [])).status).toBe('captured');
    expect((await abandonPayment(books.sql, payment, 'primary')).status).toBe('captured');
    const voided = { ...payment, status: 'voided', cardUsed: null } as const;
    expect((await recordPayment(books.sql, voided, [])).status).toBe('captured');
  });
});

test('an order whose card a lost task had given up gives the money back and fails', async () => {
  const shop = sharedShop();
  const sku = await shop.product(3);
  const id = await shop.reserved(sku);
  const payment = { cardToken: 'tok_slow_700' };
  await shop.must(202, shop.post(`/api/orders/${id}/confirm`, { payment }, { prefer: 'respond-async' }));
  const paymentId = await eventually('the payment to be begun', async () => {
    const [row] = await books.sql<{ id: string | null }[]>`select payment_id as id from orders where id = ${id}`;
    return row?.id ?? false;
  });
  // As a task does that is lost right after it.
  const key = `abandon_card/${paymentId}/primary`;
  const given = await store.apply({ step: 'abandon_card', ...by(id, key), paymentId, card: 'primary' });
  expect(given).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
  await eventually('the order to end', async () => (await shop.statusOf(id)) === 'failed');
  expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 0 });
  expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
});
