/** Books that differ: what is planted at the processor, and what a reconciliation says of it. */
import { randomUUID } from 'node:crypto';
import type { Stack } from '../../setup/stack.js';
import { type Answer, eventually, type Shop } from '../../shop.js';

const path = '/api/payments/reconciliations';

/** Settings of a stack on which only reconciliations look at the processor's books. */
export const looksNever = { EXPIRY_SWEEP_SECONDS: '3600', RECONCILIATION_GRACE_SECONDS: '0' };

/** Reconciles the last hour. Returns the completed reconciliation. */
export async function reconciled(shop: Shop): Promise<Answer['body']> {
  const window = {
    from: new Date(Date.now() - 3_600_000).toISOString(),
    to: new Date(Date.now() + 60_000).toISOString(),
  };
  const { body } = await shop.post(path, window, { prefer: 'wait=30' });
  const ended = await eventually('the reconciliation to end', async () => {
    const found = (await shop.must(200, shop.get(`${path}/${body.id}`))).body;
    return found.status !== 'running' && found;
  });
  if (ended.status !== 'completed') throw new Error(JSON.stringify(ended));
  return ended;
}

/** What a reconciliation says of one payment, or of one reference of the processor. */
export function saidOf({ discrepancies }: Answer['body'], id: string): Answer['body'][] {
  return discrepancies.filter((each: Answer['body']) => each.paymentId === id || each.providerReference === id);
}

/** Calls the processor, by hand or under a key. */
export async function atProcessor(stack: Stack, call: string, body: object, key?: string): Promise<Answer['body']> {
  const response = await fetch(`${stack.sandboxUrl}${call}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });
  const answer: Answer['body'] = await response.json();
  if (!response.ok) throw new Error(`${call}: ${JSON.stringify(answer)}`);
  return answer;
}

/** A captured payment of 3000 without an order. */
export async function paid(shop: Shop, cardToken = 'tok_visa'): Promise<Answer['body']> {
  const { body } = await shop.must(
    201,
    shop.post('/api/payments', { amount: 3000, currency: 'USD', cardToken }, { prefer: 'wait=30' }),
  );
  return body;
}

/** A payment of 3000 that was declined. Returns its id. */
export async function declined(shop: Shop): Promise<string> {
  const { body } = await shop.must(
    402,
    shop.post('/api/payments', { amount: 3000, currency: 'USD', cardToken: 'tok_declined' }, { prefer: 'wait=30' }),
  );
  return body.paymentId;
}

export const newReference = () => `ref-${randomUUID()}`;

export async function reviewsOf(shop: Shop, subject: string): Promise<Answer['body'][]> {
  const { body } = await shop.must(200, shop.get('/api/reviews?limit=200'));
  return body.items.filter((each: Answer['body']) => each.kind === 'reconciliation' && each.subject === subject);
}
