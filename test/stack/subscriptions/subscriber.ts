/** Subscriptions on test clocks of their own, over the API. */
import { randomUUID } from 'node:crypto';
import { type Answer, eventually, holdings, type Shop } from '../../shop.js';

const wait = { prefer: 'wait=30' };

export const monthly = { amount: 1000, currency: 'USD', interval: 'month' } as const;

/** A clock that stands at this instant. */
export async function clockAt(shop: Shop, now: string): Promise<string> {
  return (await shop.must(201, shop.post('/api/test-clocks', { now }))).body.id;
}

/** Moves a clock on; resolves when all that is due has been done. */
export async function advance(shop: Shop, clock: string, to: string): Promise<void> {
  const { status, body } = await shop.post(`/api/test-clocks/${clock}/advance`, { to }, wait);
  if (status !== 200 && status !== 202) throw new Error(`advance to ${to}: ${status} ${JSON.stringify(body)}`);
  await eventually(
    `the clock to be at ${to}`,
    async () => {
      const { body: found } = await shop.must(200, shop.get(`/api/test-clocks/${clock}`));
      return found.status === 'ready' && Date.parse(found.now) === Date.parse(to);
    },
    240_000,
  );
}

export const newCustomer = () => `cus_${randomUUID().slice(0, 13)}`;

/** Starts a subscription: 10.00 USD a month with a good card, unless the request says otherwise. */
export function subscribe(shop: Shop, request: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
  const body = { customerId: newCustomer(), plan: monthly, cardToken: 'tok_visa', ...request };
  return shop.post('/api/subscriptions', body, { ...wait, ...headers });
}

/** An active subscription. Returns its id. */
export async function subscribed(shop: Shop, request: object = {}): Promise<string> {
  return (await shop.must(201, subscribe(shop, request))).body.id;
}

export function command(shop: Shop, id: string, name: string, body: object = {}): Promise<Answer> {
  return shop.post(`/api/subscriptions/${id}/${name}`, body, wait);
}

export async function shown(shop: Shop, id: string): Promise<Answer['body']> {
  return (await shop.must(200, shop.get(`/api/subscriptions/${id}`))).body;
}

/** All billing records, oldest first. */
export async function recordsOf(shop: Shop, id: string): Promise<Answer['body'][]> {
  const records: Answer['body'][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = `limit=200${cursor && `&cursor=${cursor}`}`;
    const { body } = await shop.must(200, shop.get(`/api/subscriptions/${id}/billing-records?${query}`));
    records.push(...body.items);
    cursor = body.nextCursor;
  }
  return records.reverse();
}

/** The payments of a subscription, oldest first. */
export async function paymentsOf(shop: Shop, customerId: string): Promise<Answer['body'][]> {
  const { body } = await shop.must(200, shop.get(`/api/payments?customerId=${customerId}&limit=200`));
  return body.items.reverse();
}

/** Open authorizations, and captured minus refunded, of these payments in the processor's own books. */
export async function takenFor(
  shop: Shop,
  payments: readonly { id: string }[],
): Promise<{ open: number; net: number }> {
  const books = await Promise.all(payments.map(({ id }) => shop.books(id)));
  return holdings(books.flat());
}

/** An instant as the API shows it. */
export const at = (instant: string): string => instant.replace('Z', '.000000Z');
