/** Refunds whose worker is killed at a chosen place, and what must be true afterwards. See scenarios.ts for the places. */
import { expect } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import type { Shop } from '../../shop.js';
import { atProcessor, refundOrder, sold, untilRefund } from '../refunds/sale.js';
import type { Phase } from './scenarios.js';

/** The activities of a refund that succeeds at once. */
export const refundActivities = ['beginRefund', 'refundPayment', 'settleRefund'] as const;

/** Kills the worker at `activity`.`phase` while two of three units are returned: the money and the goods come back once. */
export async function refundSurvives(
  shop: Shop,
  crashFolder: string,
  activity: (typeof refundActivities)[number],
  phase: Phase,
): Promise<void> {
  const { sku, orderId, paymentId } = await sold(shop);
  const crashed = crashAt(crashFolder, `${activity}.${phase}`);
  const { body } = await refundOrder(shop, orderId, { lines: [{ sku, quantity: 2 }], restock: true });
  await crashed();
  await untilRefund(shop, body.id, 'succeeded');
  const { refunded, keys } = await atProcessor(shop, orderId);
  expect([refunded, new Set(keys)]).toEqual([2000, new Set([`${body.id}/0`])]);
  expect(await shop.stock(sku)).toMatchObject({ onHand: 9 });
  const payment = await shop.get(`/api/payments/${paymentId}`);
  expect(payment.body).toMatchObject({ status: 'partially_refunded', refunded: 2000, refundPending: 0 });
}
