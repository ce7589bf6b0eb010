/** Money while the processor's process is stopped: commands that arrive meanwhile, and refunds that wait for it. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { eventually } from '../../shop.js';
import { atProcessor, refundOrder, refundReview, sold, untilRefund } from '../refunds/sale.js';

const own = ownStack({ RETRY_BASE_SCALE: '0.001' });
let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address: own.stack.temporalAddress });
});
afterAll(() => connection?.close());

/** The number of commands an order has received. */
async function heard(orderId: string): Promise<number> {
  const { events } = await new Client({ connection }).workflow.getHandle(`order/${orderId}`).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}

describe('money that cannot be returned', () => {
  const reviewOf = (subject: string) =>
    eventually('a review to be open', async () => {
      const { body } = await own.shop.get('/api/reviews?status=open&limit=200');
      return body.items.find((review: { subject: string }) => review.subject === subject) as
        | { id: string; attempts: number; lastError: string }
        | undefined;
    });

  /**
   * An order whose authorization must be voided, at a processor that cannot void. The gateways are stopped until the order
   * has received the cancel, so the cancel comes before the capture.
   */
  async function stuck(): Promise<{ sku: string; id: string }> {
    const { shop, stack } = own;
    const sku = await shop.product(3);
    const id = await shop.reserved(sku);
    const before = await heard(id);
    const ask = (what: string, body: object) =>
      shop.must(202, shop.post(`/api/orders/${id}/${what}`, body, { prefer: 'respond-async' }));
    process.kill(stack.pids.sandbox, 'SIGSTOP');
    try {
      await ask('confirm', { payment: { cardToken: 'tok_void_down' } });
      await ask('cancel', { reason: 'no' });
      await eventually('both commands to arrive', async () => (await heard(id)) === before + 2);
    } finally {
      process.kill(stack.pids.sandbox, 'SIGCONT');
    }
    return { sku, id };
  }

  test('goes to review, does not count as returned, and is done when the reviewer says so', async () => {
    const { shop } = own;
    const { sku, id } = await stuck();
    const review = await reviewOf(`order/${id}`);
    expect(review.attempts).toBeGreaterThanOrEqual(5);
    expect(await shop.statusOf(id)).toBe('confirming');
    expect((await shop.post(`/api/orders/${id}/cancel`, { reason: 'still no' }, { prefer: 'wait=1' })).status).toBe(
      202,
    );
    const retried = await shop.must(
      200,
      shop.post(`/api/reviews/${review.id}/resolve`, { resolution: 'retry', note: 'once more' }),
    );
    expect(retried.body.status).toBe('open');
    await shop.must(
      200,
      shop.post(`/api/reviews/${review.id}/resolve`, { resolution: 'done', note: 'voided by telephone' }),
    );
    await eventually('the order to be cancelled', async () => (await shop.statusOf(id)) === 'cancelled');
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    const { body: closed } = await shop.get(`/api/reviews/${review.id}`);
    expect(closed).toMatchObject({
      status: 'resolved',
      resolution: { by: 'person', resolution: 'done', note: 'voided by telephone' },
    });
  });
});

test('a refund while the processor is down waits, goes to review, and is made once when it is back', async () => {
  const { shop, stack } = own;
  const { sku, orderId } = await sold(shop);
  const { sandbox } = stack.pids;
  process.kill(sandbox, 'SIGSTOP');
  let id = '';
  try {
    const { status, body } = await refundOrder(shop, orderId, { restock: true }, { prefer: 'wait=1' });
    expect([status, body.status]).toEqual([202, 'pending']);
    id = body.id;
    await refundReview(shop, id);
    expect(await shop.stock(sku)).toMatchObject({ onHand: 7 });
  } finally {
    process.kill(sandbox, 'SIGCONT');
  }
  await untilRefund(shop, id, 'succeeded');
  expect((await atProcessor(shop, orderId)).refunded).toBe(3000);
  expect(await shop.stock(sku)).toMatchObject({ onHand: 10 });
  await eventually('the review to be closed', async () => {
    const { body } = await shop.must(200, shop.get('/api/reviews?limit=200'));
    const review = body.items.find(({ subject }: { subject: string }) => subject === `refund/${id}`);
    return review.status === 'resolved' && review.resolution.by === 'success';
  });
});
