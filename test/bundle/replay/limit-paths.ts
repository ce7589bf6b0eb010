/** Every path on which a customer's limit counts. record.ts sets the limit. */
import { randomUUID } from 'node:crypto';
import { eventually, type Shop } from '../../shop.js';
import type { Path } from './path.js';

/** In minor units a day. */
export const recordedLimit = 1_000_000;

const paid = (amount: number) => async (shop: Shop) => {
  const asked = { amount, currency: 'USD', cardToken: 'tok_visa', customerId: randomUUID() };
  const { body } = await shop.post('/api/payments', asked, { prefer: 'wait=30' });
  return `payment/${body.id ?? body.paymentId}`;
};

/** Costs more than the limit, and is paid at once. */
const tooMuch = { confirm: true, payment: { cardToken: 'tok_visa' } };

async function limitedThenCancelled(shop: Shop): Promise<string> {
  const sku = await shop.product(5, recordedLimit / 2 + 1);
  const { body } = await shop.order({ ...tooMuch, lines: [{ sku, quantity: 2 }], customer: { id: randomUUID() } });
  // Refused at the opening, and once more.
  await shop.confirm(body.orderId);
  return await cancelled(shop, body.orderId);
}

async function cancelled(shop: Shop, id: string): Promise<string> {
  await shop.cancel(id);
  await eventually('the order to be cancelled', async () => (await shop.statusOf(id)) === 'cancelled');
  return `order/${id}`;
}

export const limitPaths: readonly Path[] = [
  { name: 'payment-counted-and-captured', walk: paid(900) },
  { name: 'payment-limited', walk: paid(recordedLimit + 1) },
  { name: 'order-limited-then-cancelled', walk: limitedThenCancelled },
];
