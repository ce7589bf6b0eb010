/** The row of a payment says which processor it is at, and a processor's id is stored only while its card may be charged. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore, type OrderStore } from '../../../db/orders/store.js';
import { providerIds } from '../../../db/payments/provider-ids.js';
import { abandonPayment, recordPayment } from '../../../db/payments/queries.js';
import type { PaymentRecord } from '../../../domain/orders/steps.js';
import type { GatewayName } from '../../../domain/payments/gateways.js';
import { Books } from '../books.js';
import { orderOpening, stepBy } from '../orders/opening.js';

let books: Books;
let store: OrderStore;
let ids: ReturnType<typeof providerIds>;
beforeAll(async () => {
  books = await Books.open();
  store = createOrderStore(books.sql);
  ids = providerIds(books.sql);
});
afterAll(() => books.close());

const newPaymentId = () => `pay_${randomUUID().replaceAll('-', '')}`;
const gatewayOf = async (id: string) => {
  const [row] = await books.sql<{ gateway: GatewayName }[]>`select gateway from payments where id = ${id}`;
  return row?.gateway;
};

const own = (id: string, more: Partial<PaymentRecord> = {}): PaymentRecord => ({
  ...{ id, status: 'captured', amount: 1000, currency: 'USD', orderId: null, customerId: null, email: null },
  ...{ reference: null, cardUsed: 'primary', fraudScore: 0.1, attempts: [], providerReference: 'pi_1', failure: null },
  ...more,
});

/** An order of one unit that is being paid. @param gateway that the worker adds to the step */
async function confirming(gateway?: GatewayName) {
  const opening = orderOpening([{ sku: await books.newSku(3), quantity: 1 }]);
  const paymentId = newPaymentId();
  const payment = { paymentId, choice: { cardToken: 'tok_visa' }, ...(gateway && { gateway }) };
  const step = { ...opening, confirming: true, payment };
  return { orderId: opening.orderId, paymentId, step, begun: await store.apply(step) };
}

describe('the processor of a payment', () => {
  test('is written by the step that begins it, and comes back in the result', async () => {
    const { paymentId, begun } = await confirming('stripe');
    expect(begun.state?.inFlight).toMatchObject({ paymentId, gateway: 'stripe' });
    expect(await gatewayOf(paymentId)).toBe('stripe');
  });

  test('stays although a repeated step comes from a worker with another setting', async () => {
    const { paymentId, step } = await confirming('stripe');
    const again = await store.apply({ ...step, payment: { ...step.payment, gateway: 'sandbox' } });
    expect(again.state?.inFlight).toMatchObject({ paymentId, gateway: 'stripe' });
    expect(await gatewayOf(paymentId)).toBe('stripe');
  });

  test('is the sandbox if an older worker began the payment', async () => {
    const { paymentId, begun } = await confirming();
    expect(begun.state?.inFlight?.gateway).toBe('sandbox');
    expect(await gatewayOf(paymentId)).toBe('sandbox');
  });

  test('of a payment without an order is the one it was started with, also if its card is given up first', async () => {
    const [recorded, abandoned, older] = [newPaymentId(), newPaymentId(), newPaymentId()];
    await recordPayment(books.sql, own(recorded, { gateway: 'stripe' }), []);
    await abandonPayment(books.sql, own(abandoned, { gateway: 'stripe' }), 'primary');
    await recordPayment(books.sql, own(older), []);
    expect(await Promise.all([recorded, abandoned, older].map(gatewayOf))).toEqual(['stripe', 'stripe', 'sandbox']);
  });
});

describe("a processor's id of an operation", () => {
  test('is found again, by card, and the first one stays', async () => {
    const { paymentId } = await confirming('stripe');
    expect(await ids.find(paymentId, 'primary')).toBeNull();
    for (let n = 0; n < 2; n++) await ids.remember(paymentId, 'primary', 'stripe', 'pi_1');
    await expect(ids.remember(paymentId, 'primary', 'stripe', 'pi_2')).rejects.toThrow('another operation');
    expect(await ids.find(paymentId, 'primary')).toBe('pi_1');
    expect(await ids.find(paymentId, 'backup')).toBeNull();
  });

  test('is refused for a card that was given up, and not for the other card', async () => {
    const { orderId, paymentId } = await confirming('stripe');
    await store.apply({ step: 'abandon_card', ...stepBy(orderId, 'abandon'), paymentId, card: 'primary' });
    await expect(ids.remember(paymentId, 'primary', 'stripe', 'pi_1')).rejects.toThrow('given up');
    expect(await ids.find(paymentId, 'primary')).toBeNull();
    await ids.remember(paymentId, 'backup', 'stripe', 'pi_2');
    const alone = newPaymentId();
    await abandonPayment(books.sql, own(alone), 'primary');
    await expect(ids.remember(alone, 'primary', 'stripe', 'pi_3')).rejects.toThrow('given up');
  });

  test.each([
    [
      'of an order',
      async () => {
        const { orderId, paymentId } = await confirming('stripe');
        const step = { step: 'abandon_card', ...stepBy(orderId, 'abandon'), paymentId, card: 'primary' } as const;
        return { paymentId, abandon: () => store.apply(step) };
      },
    ],
    [
      'without an order, before it has a row',
      async () => {
        const paymentId = newPaymentId();
        return {
          paymentId,
          abandon: () => abandonPayment(books.sql, own(paymentId, { gateway: 'stripe' }), 'primary'),
        };
      },
    ],
  ])('of a payment %s is either found by the undo or never stored', async (_what, begin) => {
    for (let round = 0; round < 20; round++) {
      const { paymentId, abandon } = await begin();
      const storing = ids.remember(paymentId, 'primary', 'stripe', 'pi_1').then(
        () => true,
        () => false,
      );
      await abandon();
      // What the undo sees, as soon as the card is given up.
      const found = await ids.find(paymentId, 'primary');
      expect(found !== null).toBe(await storing);
    }
  });
});
