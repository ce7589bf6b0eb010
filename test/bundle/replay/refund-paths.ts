/** Every path that a refund can take. */
import { eventually, type Shop } from '../../shop.js';
import { refundOrder, refundReview, sold, untilRefund } from '../../stack/refunds/sale.js';
import type { Path } from './path.js';

/** A refund of an order that was paid with this card: what happens to it, and the status that it must reach. */
const refunded =
  (cardToken: string | null, end: string, drive: (shop: Shop, refundId: string) => Promise<unknown> = async () => 0) =>
  async (shop: Shop): Promise<string> => {
    const { orderId } = await sold(shop, cardToken);
    const { body } = await refundOrder(shop, orderId, { restock: true }, { prefer: 'wait=1' });
    await drive(shop, body.id);
    await untilRefund(shop, body.id, end);
    return `refund/${body.id}`;
  };

const decide = (resolution: 'retry' | 'done') => async (shop: Shop, refundId: string) => {
  const review = await refundReview(shop, refundId);
  await shop.post(`/api/reviews/${review.id}/resolve`, { resolution, note: 'seen' });
  return review.id as string;
};

const retriedThenClosed = async (shop: Shop, refundId: string) => {
  const first = await decide('retry')(shop, refundId);
  await eventually('another review', async () => (await refundReview(shop, refundId)).id !== first);
  await decide('done')(shop, refundId);
};

/** The review of an unknown outcome stays open while the refund is tried again. */
const retriedUnderReview = async (shop: Shop, refundId: string) => {
  await decide('retry')(shop, refundId);
  await decide('done')(shop, refundId);
};

export const refundPaths: readonly Path[] = [
  { name: 'refund-succeeded', walk: refunded('tok_visa', 'succeeded') },
  { name: 'refund-of-an-order-paid-elsewhere', walk: refunded(null, 'succeeded') },
  { name: 'refund-pending-then-succeeded', walk: refunded('tok_refund_pending_1500', 'succeeded') },
  { name: 'refund-processor-flaky', walk: refunded('tok_flaky_1', 'succeeded') },
  { name: 'refund-failed-retried-then-closed', walk: refunded('tok_refund_fails', 'failed', retriedThenClosed) },
  { name: 'refund-unanswered-then-closed', walk: refunded('tok_refund_down', 'failed', decide('done')) },
  { name: 'refund-unanswered-retried-then-closed', walk: refunded('tok_refund_down', 'failed', retriedUnderReview) },
];
