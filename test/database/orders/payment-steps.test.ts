/**
 * The database decides between settling a payment and giving its card up. Whichever a lost workflow task did stands, even
 * if the next task wants the other.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore, type OrderStore } from '../../../db/orders/store.js';
import { abandonPayment, recordPayment } from '../../../db/payments/queries.js';
import type { OrderStep, PaymentRecord } from '../../../domain/orders/steps.js';
import { Books } from '../books.js';
import { orderOpening, stepBy } from './opening.js';

let books: Books;
let store: OrderStore;
beforeAll(async () => {
  books = await Books.open();
  store = createOrderStore(books.sql);
});
afterAll(() => books.close());

const newPaymentId = () => `pay_${randomUUID().replaceAll('-', '')}`;
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

/** An order of one unit that is being paid. */
async function confirming() {
  const sku = await books.newSku(3);
  const opening = orderOpening([{ sku, quantity: 1 }]);
  const { orderId } = opening;
  const paymentId = newPaymentId();
  const confirmed = { ...opening, confirming: true, payment: { paymentId, choice: { cardToken: 'tok_visa' } } };
  expect(await store.apply(confirmed)).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
  const abandon: OrderStep = { step: 'abandon_card', ...stepBy(orderId, 'abandon'), paymentId, card: 'primary' };
  const settle: OrderStep = {
    step: 'settle',
    ...stepBy(orderId, 'settle'),
    payment: captured(paymentId, orderId),
    mails: [],
  };
  const level = async () =>
    (await books.levels(sku)).map(({ onHand, reserved }: { onHand: number; reserved: number }) => [onHand, reserved]);
  return { orderId, paymentId, abandon, settle, level };
}

describe('a card of an order', () => {
  test('that was given up settles nothing: the goods stay held until the order ends', async () => {
    const { orderId, paymentId, abandon, settle, level } = await confirming();
    expect(await store.apply(abandon)).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
    expect(await store.apply(settle)).toMatchObject({ outcome: 'refused', state: { status: 'confirming' } });
    expect(await level()).toEqual([[3, 1]]);
    // Another card may still pay, under the same key.
    const other = { ...captured(paymentId, orderId), cardUsed: 'backup' } as const;
    const settled = await store.apply({ ...settle, payment: other });
    expect(settled).toMatchObject({ outcome: 'done', state: { status: 'confirmed' } });
    expect(await level()).toEqual([[2, 0]]);
  });

  test('that was given up before it could settle leaves the order open: a cancel ends it, however late', async () => {
    const { orderId, paymentId, abandon, settle, level } = await confirming();
    await store.apply(abandon);
    expect(await store.apply(settle)).toMatchObject({
      outcome: 'refused',
      state: { inFlight: { paymentId, abandoned: ['primary'] } },
    });
    const failure = { code: 'all_payment_attempts_failed', detail: 'nothing was taken' };
    const refused = { ...captured(paymentId, orderId), status: 'failed', cardUsed: null, failure } as const;
    const refuse = { ...stepBy(orderId, 'refuse'), maxRefusals: 3, payment: refused, reason: '', failure, mails: [] };
    expect(await store.apply({ step: 'refuse_payment', ...refuse })).toMatchObject({
      outcome: 'done',
      state: { status: 'reserved', inFlight: null },
    });
    expect(await level()).toEqual([[3, 1]]);
    // Also that of the task that gave the card up, which brings its own record of the payment.
    const voided = { ...captured(paymentId, orderId), status: 'voided', cardUsed: null } as const;
    const close = { ...stepBy(orderId, 'close'), to: 'cancelled', reason: '', failure: null, payment: voided } as const;
    expect(await store.apply({ step: 'close', ...close })).toMatchObject({
      outcome: 'done',
      state: { status: 'cancelled', refused: failure },
    });
    expect(await level()).toEqual([[3, 0]]);
  });

  test('whose order could not be closed during the payment closes under the same key afterwards, and repeats that', async () => {
    const { orderId, paymentId, abandon, level } = await confirming();
    const cancel = { ...stepBy(orderId, 'close'), to: 'cancelled', reason: '', failure: null, payment: null } as const;
    expect(await store.apply({ step: 'close', ...cancel })).toMatchObject({ outcome: 'refused' });
    await store.apply(abandon);
    const voided = { ...captured(paymentId, orderId), status: 'voided', cardUsed: null } as const;
    const stopped = { ...cancel, ...stepBy(orderId, 'close-payment'), payment: voided };
    expect(await store.apply({ step: 'close', ...stopped })).toMatchObject({ outcome: 'done' });
    for (let times = 0; times < 2; times++)
      expect(await store.apply({ step: 'close', ...cancel })).toMatchObject({
        outcome: 'done',
        state: { status: 'cancelled' },
      });
    expect(await level()).toEqual([[3, 0]]);
  });

  test('that has settled can no longer be given up', async () => {
    const { abandon, settle, level } = await confirming();
    expect(await store.apply(settle)).toMatchObject({ outcome: 'done', state: { status: 'confirmed' } });
    expect(await store.apply(abandon)).toMatchObject({ outcome: 'refused', state: { status: 'confirmed' } });
    expect(await level()).toEqual([[2, 0]]);
  });

  test('that two workers give up and settle at once ends in exactly one of the two', async () => {
    const another = createOrderStore(books.another().sql);
    for (let round = 0; round < 20; round++) {
      const { abandon, settle, level } = await confirming();
      const [given, settled] = await Promise.all([store.apply(abandon), another.apply(settle)]);
      expect([given.outcome, settled.outcome].sort()).toEqual(['done', 'refused']);
      expect(await level()).toEqual(settled.outcome === 'done' ? [[2, 0]] : [[3, 1]]);
    }
  });
});

describe('a card of a standalone payment', () => {
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
