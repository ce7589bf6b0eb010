import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { signalOrder, temporal } from '../../temporal.js';
import { asked, reasons, until, waiting } from './lacking.js';

const shop = sharedShop();

describe('an order that is cancelled while it waits for its supplier', () => {
  const ways: [string, (id: string) => Promise<unknown>][] = [
    ['through the API', (id) => shop.must(200, shop.cancel(id, 'too late'))],
    ['by a signal', (id) => signalOrder(id, 'cancel', { reason: 'too late' })],
    ['by cancelling its workflow', async (id) => (await temporal()).workflow.getHandle(`order/${id}`).cancel()],
  ];
  test.each(ways)('%s is cancelled at the supplier too, and releases its holds', async (_how, cancel) => {
    const sku = await shop.supplied(3, { status: ['delayed'] });
    const id = await waiting(sku, { confirm: true, payment: { cardToken: 'tok_visa' } });
    await cancel(id);
    await until(id, 'cancelled');
    const calls = await asked(sku);
    expect(calls.at(-1)).toBe('reserve_cancel: cancelled');
    expect(calls.filter((call) => call.startsWith('reserve_cancel'))).toHaveLength(1);
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    expect(await shop.books(id)).toEqual([]);
    expect(await shop.path(id)).toEqual(['pending', 'awaiting_restock', 'cancelled']);
  });

  test('before the supplier has answered leaves no reservation there', async () => {
    const sku = await shop.supplied(3, { reserve: 'timeout' });
    const opening = shop.order({ lines: [{ sku, quantity: 5 }], customer: { id: sku } });
    const id = await eventually('the order', async () => {
      const { body } = await shop.get(`/api/orders?customerId=${sku}&status=awaiting_restock`);
      return body.items[0]?.id as string | undefined;
    });
    expect((await shop.must(200, shop.cancel(id))).body.status).toBe('cancelled');
    const { status, body } = await opening;
    expect([status, body.code, body.orderId]).toEqual([409, 'invalid_order_state', id]);
    expect((await asked(sku)).at(-1)).toBe('reserve_cancel: cancelled');
    // Even a call still in flight no longer makes a reservation.
    expect((await asked(sku)).filter((call) => call === 'reserve: accepted')).toEqual([]);
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('while the supplier is unreachable frees its stock, and a review stays open until the supplier has cancelled', async () => {
    const sku = await shop.supplied(3, { status: ['delayed'], cancel: 'error' });
    const id = await waiting(sku);
    expect((await shop.post(`/api/orders/${id}/cancel`, { reason: 'late' }, { prefer: 'wait=1' })).status).toBe(202);
    const review = await eventually('the review', async () => {
      const { body } = await shop.get('/api/reviews?status=open');
      return body.items.find(({ subject }: { subject: string }) => subject === `order/${id}`);
    });
    const [reserve] = await shop.supplierCalls(sku);
    expect(review).toMatchObject({
      kind: 'compensation_failed',
      detail: { compensation: 'cancel at the supplier', sku, quantity: 2, supplierReference: reserve?.ref },
    });
    await eventually('its stock to be free', async () => (await shop.stock(sku)).available === 3);
    expect(await shop.statusOf(id)).toBe('awaiting_restock');
    await shop.script(sku, {});
    await until(id, 'cancelled');
    expect((await shop.get(`/api/reviews/${review.id}`)).body.status).toBe('resolved');
    expect((await shop.get(`/api/orders/${id}`)).body.cancelReason).toBe('late');
  });
});

describe('an order that waits for its supplier', () => {
  test('cannot be confirmed, takes no more lines, and keeps waiting', async () => {
    const sku = await shop.supplied(0, { status: ['delayed', 'ok'] });
    const id = await waiting(sku);
    const confirmed = await shop.confirm(id, 'tok_visa');
    expect([confirmed.status, confirmed.body.code, confirmed.body.from]).toEqual([
      409,
      'invalid_order_state',
      'awaiting_restock',
    ]);
    const added = await shop.post(`/api/orders/${id}/lines`, { sku, quantity: 1 });
    expect([added.status, added.body.code]).toEqual([409, 'invalid_order_state']);
    await until(id, 'reserved');
    expect(await shop.books(id)).toEqual([]);
  });

  test('records a meaningless signal on the timeline and ignores it', async () => {
    const sku = await shop.supplied(0, { status: ['delayed', 'ok'] });
    const id = await waiting(sku);
    await signalOrder(id, 'confirm', { payment: { cardToken: 'tok_visa' } });
    await eventually('the note', async () =>
      (await reasons(id)).some((reason) => reason.startsWith('signal confirm ignored: an order that is awaiting')),
    );
    await until(id, 'reserved');
  });
});
