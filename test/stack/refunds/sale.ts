/** Orders and payments that are paid, and their refunds, over the API. */
import { type Answer, eventually, type Shop } from '../../shop.js';

export interface Sold {
  readonly sku: string;
  readonly orderId: string;
  /** Null: paid outside Holdfast. */
  readonly paymentId: string | null;
}

/** A confirmed order of 3 units of 1000 each, of 10. */
export async function sold(shop: Shop, cardToken: string | null = 'tok_visa', email?: string): Promise<Sold> {
  const sku = await shop.product(10);
  const payment = cardToken === null ? ({ method: 'external' } as const) : { cardToken };
  const customer = email === undefined ? {} : { customer: { email } };
  const lines = [{ sku, quantity: 3 }];
  const { body } = await shop.must(201, shop.order({ lines, ...customer, payment, confirm: true }));
  return { sku, orderId: body.id, paymentId: body.payment?.id ?? null };
}

export function refundOrder(
  shop: Shop,
  orderId: string,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  return shop.post(
    `/api/orders/${orderId}/refunds`,
    { reason: 'does not fit', ...body },
    { prefer: 'wait=30', ...headers },
  );
}

export function refundPayment(
  shop: Shop,
  paymentId: string | null,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  return shop.post(
    `/api/payments/${paymentId}/refunds`,
    { reason: 'does not fit', ...body },
    { prefer: 'wait=30', ...headers },
  );
}

export async function untilRefund(shop: Shop, id: string, status: string): Promise<Answer['body']> {
  return await eventually(`refund ${id} to be ${status}`, async () => {
    const { body } = await shop.must(200, shop.get(`/api/refunds/${id}`));
    return body.status === status && body;
  });
}

/** The calls to refund at the processor, and what it has returned in all. */
export async function atProcessor(shop: Shop, reference: string): Promise<{ refunded: number; keys: string[] }> {
  const books = await shop.books(reference);
  const keys = books.flatMap(({ calls }) =>
    calls.flatMap(({ kind, idempotencyKey }) => (kind === 'refund' ? [idempotencyKey] : [])),
  );
  return { refunded: books.reduce((sum, { refunded }) => sum + refunded, 0), keys };
}

export async function refundReview(shop: Shop, refundId: string): Promise<Answer['body']> {
  return await eventually(`a review of refund/${refundId}`, async () => {
    const { body } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
    return body.items.find(({ subject }: { subject: string }) => subject === `refund/${refundId}`);
  });
}
