/** Every path on which a card processor reports a change. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { processorSyncWorkflowId } from '../../../workflows/processor/contract.js';
import { processorSignal } from '../../../workflows/shared/contract.js';
import { eventually, type Shop } from '../../shop.js';
import { refundOrder, sold, untilRefund } from '../../stack/refunds/sale.js';
import type { Outside, Path } from './path.js';

/** An attempt at the authorization takes a second and is not answered, three times. */
const unanswered = 'tok_auth_timeout_3';

/** Tells the workflow while an attempt of the activity outside its task is running. */
async function report({ signal }: Outside, workflowId: string): Promise<void> {
  await sleep(1500);
  await signal(workflowId, processorSignal);
}

async function orderReported(shop: Shop, outside: Outside): Promise<string> {
  const sku = await shop.product(3);
  const request = { lines: [{ sku, quantity: 1 }], payment: { cardToken: unanswered }, confirm: true };
  const { body } = await shop.order(request, { prefer: 'wait=1' });
  const id: string = body.id;
  await report(outside, `order/${id}`);
  await eventually('the order to be confirmed', async () => (await shop.statusOf(id)) === 'confirmed');
  return `order/${id}`;
}

async function paymentReported(shop: Shop, outside: Outside): Promise<string> {
  const payment = { amount: 900, currency: 'GBP', cardToken: unanswered };
  const { body } = await shop.post('/api/payments', payment, { prefer: 'wait=1' });
  await report(outside, `payment/${body.id}`);
  await eventually('the payment', async () => (await shop.get(`/api/payments/${body.id}`)).body.status === 'captured');
  return `payment/${body.id}`;
}

async function refundReported(shop: Shop, { signal }: Outside): Promise<string> {
  const { orderId } = await sold(shop, 'tok_refund_pending_2500');
  const { body } = await refundOrder(shop, orderId, {}, { prefer: 'wait=1' });
  await signal(`refund/${body.id}`, processorSignal);
  await untilRefund(shop, body.id, 'succeeded');
  return `refund/${body.id}`;
}

/** Has the relay look at the payment of this order. */
async function synced(shop: Shop, { databaseUrl }: Outside, orderId: string): Promise<string> {
  const { body } = await shop.get(`/api/orders/${orderId}`);
  const { id: paymentId, providerReference: providerId } = body.payment;
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    const [row] = await sql<{ id: string }[]>`
      insert into outbox (topic, dedup_key, payload)
      values ('processor', ${randomUUID()}, ${sql.json({ gateway: 'sandbox', providerId, paymentId, type: null })})
      returning id::text as id`;
    await sql`select pg_notify('outbox', '')`;
    return await eventually('the report to be handled', async () => {
      const [handled] = await sql<{ batchId: string | null }[]>`
        select batch_id as "batchId" from outbox where id = ${row?.id ?? ''} and sent_at is not null`;
      return handled?.batchId != null && processorSyncWorkflowId(handled.batchId);
    });
  } finally {
    await sql.end();
  }
}

/** Somebody has returned the money by hand, which nobody has told us yet. */
async function refused(shop: Shop, outside: Outside): Promise<string> {
  const { orderId } = await sold(shop);
  const { body } = await shop.get(`/api/orders/${orderId}`);
  await byHand(outside, body.payment.providerReference);
  const answer = await refundOrder(shop, orderId);
  return `refund/${answer.body.refundId}`;
}

async function byHand({ sandboxUrl }: Outside, authorizationId: string): Promise<void> {
  await fetch(`${sandboxUrl}/payments/${authorizationId}/refunds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"amount":3000}',
  });
}

/** A refund of ours without an answer has reserved the money that somebody returns by hand. */
async function withoutRoom(shop: Shop, outside: Outside): Promise<string> {
  const { orderId } = await sold(shop, 'tok_refund_down');
  await refundOrder(shop, orderId, {}, { prefer: 'wait=1' });
  const { body } = await shop.get(`/api/orders/${orderId}`);
  await byHand(outside, body.payment.providerReference);
  return await synced(shop, outside, orderId);
}

export const processorPaths: readonly Path[] = [
  { name: 'order-charge-reported', walk: orderReported },
  { name: 'payment-charge-reported', walk: paymentReported },
  { name: 'refund-pending-then-reported', walk: refundReported },
  { name: 'refund-refused-by-the-processor', walk: refused },
  { name: 'processor-sync-adopted', walk: async (shop, outside) => synced(shop, outside, (await sold(shop)).orderId) },
  { name: 'processor-sync-left-to-a-person', walk: withoutRoom },
];
