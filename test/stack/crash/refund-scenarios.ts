/** Refunds whose worker is killed at a chosen place, and what must be true afterwards. See scenarios.ts for the places. */
import { expect } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { eventually, type Shop } from '../../shop.js';
import { atProcessor, refundOrder, refundReview, sold, untilRefund } from '../refunds/sale.js';
import type { Phase } from './scenarios.js';

interface RefundScenario {
  /** What happens to the refund of 2 of 3 units, with restock. `activities` are those it runs. */
  readonly what: string;
  /** Null: paid outside Holdfast. */
  readonly cardToken: string | null;
  readonly activities: readonly string[];
  /** What a person does once it has begun. */
  readonly drive?: (shop: Shop, refundId: string) => Promise<void>;
  /** Its status, what the processor has returned, and the attempts that it was asked for. */
  readonly end: {
    readonly status: 'succeeded' | 'failed';
    readonly returned: number;
    readonly attempts: readonly number[];
  };
}

const once = { status: 'succeeded', returned: 2000, attempts: [0] } as const;

export const refundScenarios: readonly RefundScenario[] = [
  {
    what: 'made at once',
    cardToken: 'tok_visa',
    activities: ['beginRefund', 'refundPayment', 'settleRefund'],
    end: once,
  },
  {
    what: 'pending at the processor first',
    cardToken: 'tok_refund_pending_1500',
    activities: ['refundPayment', 'acceptRefund', 'findRefund', 'settleRefund'],
    end: once,
  },
  {
    what: 'of an order that was paid elsewhere',
    cardToken: null,
    activities: ['settleRefund'],
    end: { status: 'succeeded', returned: 0, attempts: [] },
  },
  {
    what: 'refused by the processor, retried, and closed by a person',
    cardToken: 'tok_refund_fails',
    activities: ['failRefund', 'openReview', 'retryRefund', 'closeReview'],
    drive: async (shop, refundId) => {
      const first = await decide(shop, refundId, 'retry');
      await eventually('another review', async () => (await refundReview(shop, refundId)).id !== first);
      await decide(shop, refundId, 'done');
    },
    end: { status: 'failed', returned: 0, attempts: [0, 1] },
  },
];

async function decide(shop: Shop, refundId: string, resolution: 'retry' | 'done'): Promise<string> {
  const { id } = await refundReview(shop, refundId);
  await shop.must(200, shop.post(`/api/reviews/${id}/resolve`, { resolution, note: 'seen' }));
  return id;
}

/** Kills the worker at `activity`.`phase` while the refund runs, and checks that it ends as if nothing had happened. */
export async function refundSurvives(
  shop: Shop,
  crashFolder: string,
  { cardToken, drive, end }: RefundScenario,
  activity: string,
  phase: Phase,
): Promise<void> {
  const { sku, orderId, paymentId } = await sold(shop, cardToken);
  const crashed = crashAt(crashFolder, `${activity}.${phase}`);
  const { body } = await refundOrder(shop, orderId, { lines: [{ sku, quantity: 2 }], restock: true });
  await drive?.(shop, body.id);
  await crashed();
  await untilRefund(shop, body.id, end.status);
  const { refunded, keys } = await atProcessor(shop, orderId);
  expect([refunded, [...new Set(keys)]]).toEqual([
    end.returned,
    end.attempts.map((attempt) => `${body.id}/${attempt}`),
  ]);
  const back = end.status === 'succeeded';
  expect(await shop.stock(sku)).toEqual({ onHand: back ? 9 : 7, reserved: 0, available: back ? 9 : 7 });
  expect(await shop.statusOf(orderId)).toBe(back ? 'partially_refunded' : 'confirmed');
  if (paymentId !== null)
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({
      refunded: end.returned,
      refundPending: 0,
    });
}
