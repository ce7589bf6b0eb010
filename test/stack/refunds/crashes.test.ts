import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { ownStack } from '../../setup/own-stack.js';
import { quickTakeover } from '../../setup/stack.js';
import { eventually } from '../../shop.js';
import { refundSurvives } from '../crash/refund-scenarios.js';
import { atProcessor, refundOrder, refundReview, sold, untilRefund } from './sale.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({ ...quickTakeover, HOLDFAST_CRASH_POINTS: crashFolder });

/** A selection from the drill (test/drills/refunds.drill.ts): the places most likely to double or lose money or goods. */
describe('a refund survives kill -9 of the worker: the money is returned once, and the goods come back once', () => {
  test.each([
    ['beginRefund', 'after'],
    ['refundPayment', 'during'],
    ['refundPayment', 'after'],
    ['settleRefund', 'after'],
    ['acceptRefund', 'after'],
    ['retryRefund', 'after'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    await refundSurvives(own.shop, crashFolder, activity, phase);
  });

  test('while the processor fails: the amount stays reserved, and a person decides', async () => {
    const { shop } = own;
    const { orderId, paymentId } = await sold(shop, 'tok_refund_down');
    const crashed = crashAt(crashFolder, 'refundPayment.during');
    const { body } = await refundOrder(shop, orderId, {}, { prefer: 'wait=1' });
    await crashed();
    await refundReview(shop, body.id);
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 0, refundPending: 3000 });
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
