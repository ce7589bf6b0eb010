/**
 * A lost workflow task may have acted: it took the money, or gave up a card or a restock. The next task runs without
 * knowing that, and the scorer may judge the card differently.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createOrderStore } from '../../../db/orders/store.js';
import { orderStepKey } from '../../../domain/orders/steps.js';
import { paymentWorkflowId } from '../../../workflows/payment/contract.js';
import { taskQueue } from '../../../workflows/shared/contract.js';
import { Books } from '../../database/books.js';
import { sharedShop } from '../../shared.js';
import { eventually, holdings } from '../../shop.js';
import { temporal } from '../../temporal.js';

const shop = sharedShop();
let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const newPaymentId = () => `pay_${randomUUID().replaceAll('-', '')}`;

/** The key and actor of an order's step, as in the workflow. */
const stepOf = (orderId: string, key: string) => ({
  ...{ key: `order/${orderId}/${key}`, orderId },
  ...{ actor: 'test', traceId: '' },
});

/** Takes the money under the keys of the payment's first card, as the lost task did. */
async function capture(paymentId: string, reference: string): Promise<void> {
  const ask = async (path: string, kind: string, body: object) => {
    const response = await fetch(`${inject('sandboxUrl')}/payments/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `${paymentId}/primary/${kind}` },
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return (await response.json()) as { authorizationId: string };
  };
  const money = { amount: 1000, currency: 'USD' };
  const { authorizationId } = await ask('authorize', 'authorize', { token: 'tok_visa', reference, ...money });
  await ask(`${authorizationId}/capture`, 'capture', { amount: money.amount });
  expect(holdings(await shop.books(reference))).toEqual({ open: 0, net: 1000 });
}

describe('money that a lost task took', () => {
  test('is returned before a standalone payment is reported as blocked', async () => {
    const paymentId = newPaymentId();
    await capture(paymentId, paymentId);
    const client = await temporal();
    await client.workflow.execute('payment', {
      taskQueue,
      workflowId: paymentWorkflowId(paymentId),
      args: [
        {
          ...{ paymentId, amount: 1000, currency: 'USD', cardToken: 'tok_fraud', backupCardToken: null },
          ...{ customerId: null, email: null, reference: null, requestedAt: new Date().toISOString() },
          retry: { retryBaseScale: 0.01, gatewayTimeoutSeconds: 1 },
          caller: { actor: 'test', traceparent: '', requestId: null },
        },
      ],
    });
    expect((await shop.get(`/api/payments/${paymentId}`)).body.status).toBe('blocked');
    expect(holdings(await shop.books(paymentId))).toEqual({ open: 0, net: 0 });
  });

  test("is returned before an order's payment is reported as blocked", async () => {
    const sku = await shop.product(2);
    const orderId = await shop.reserved(sku);
    const paymentId = newPaymentId();
    const begun = await createOrderStore(books.sql).apply({
      step: 'begin_confirm',
      ...{ key: orderStepKey(orderId, 'begin_confirm', 'lost'), orderId, actor: 'test', traceId: '' },
      payment: { paymentId, choice: { cardToken: 'tok_fraud' } },
    });
    expect(begun).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
    await capture(paymentId, orderId);
    const { status, body } = await shop.confirm(orderId, 'tok_visa');
    expect([status, body.code]).toEqual([402, 'fraud_suspected']);
    await eventually('the order to be reserved again', async () => (await shop.statusOf(orderId)) === 'reserved');
    expect(holdings(await shop.books(orderId))).toEqual({ open: 0, net: 0 });
    expect(await shop.stock(sku)).toEqual({ onHand: 2, reserved: 1, available: 1 });
  });
});

test('an order whose card a lost task gave up returns the money, and the cancel that comes again ends it', async () => {
  const sku = await shop.product(3);
  const id = await shop.reserved(sku);
  const payment = { cardToken: 'tok_slow_700' };
  await shop.must(202, shop.post(`/api/orders/${id}/confirm`, { payment }, { prefer: 'respond-async' }));
  const paymentId = await eventually('the payment to be begun', async () => {
    const [row] = await books.sql<{ id: string | null }[]>`select payment_id as id from orders where id = ${id}`;
    return row?.id ?? false;
  });
  // Like a task that is lost right afterwards.
  const key = `abandon_card/${paymentId}/primary`;
  const given = await createOrderStore(books.sql).apply({
    step: 'abandon_card',
    ...stepOf(id, key),
    paymentId,
    card: 'primary',
  });
  expect(given).toMatchObject({ outcome: 'done', state: { status: 'confirming' } });
  await eventually('the payment to be refused', async () => (await shop.statusOf(id)) === 'reserved');
  expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 0 });
  expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 1, available: 2 });
  await shop.must(200, shop.cancel(id));
  expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
});

test('an order that a lost task gave up receives no goods: it ends, and the supplier cancels them', async () => {
  const sku = await shop.supplied(1, { status: ['delayed', 'ok'] });
  const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 2 }] }));
  // Like a task that is lost right afterwards, with the cancel that it had received.
  const given = await createOrderStore(books.sql).apply({
    step: 'give_up_restock',
    ...stepOf(body.id, 'give_up_restock/once'),
  });
  expect(given).toMatchObject({ outcome: 'done', received: [] });
  await eventually('the order to end', async () => (await shop.statusOf(body.id)) === 'cancelled');
  const calls = (await shop.supplierCalls(sku)).map(({ kind, outcome }) => `${kind}: ${outcome}`);
  expect(calls.slice(-2)).toEqual(['reserve_status: ok', 'reserve_cancel: cancelled']);
  expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
});
