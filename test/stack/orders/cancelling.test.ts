import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, holdings } from '../../shop.js';
import { signalOrder, temporal } from '../../temporal.js';

const shop = sharedShop();

describe('an order that is cancelled', () => {
  test('returns its stock and keeps the reason', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 4);
    const { status, body } = await shop.cancel(id, 'ordered by mistake');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'cancelled', cancelReason: 'ordered by mistake', expiresAt: null });
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 0, available: 5 });
    expect(await shop.path(id)).toEqual(['pending', 'reserved', 'cancelled']);
  });

  test('can be cancelled again without effect', async () => {
    const id = await shop.reserved(await shop.product(1));
    await shop.must(200, shop.cancel(id, 'first'));
    expect((await shop.must(200, shop.cancel(id, 'second'))).body.cancelReason).toBe('first');
    expect(await shop.path(id)).toEqual(['pending', 'reserved', 'cancelled']);
  });

  test('cannot be confirmed', async () => {
    const id = await shop.reserved(await shop.product(1));
    await shop.must(200, shop.cancel(id));
    const { status, body } = await shop.confirm(id, 'tok_visa');
    expect([status, body.code, body.from, body.to]).toEqual([409, 'invalid_order_state', 'cancelled', 'confirmed']);
    expect(await shop.books(id)).toEqual([]);
  });

  test('a confirmed order cannot be cancelled', async () => {
    const sku = await shop.product(2);
    const id = await shop.reserved(sku);
    await shop.must(200, shop.confirm(id, 'tok_visa'));
    const { status, body } = await shop.cancel(id);
    expect([status, body.code, body.from, body.to, body.orderId]).toEqual([
      409,
      'invalid_order_state',
      'confirmed',
      'cancelled',
      id,
    ]);
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });

  // The first is authorized inside a workflow task; the second takes longer than a task may block.
  test.each(['tok_slow_700', 'tok_slow_1500'])(
    'while %s is being authorized is cancelled, and the authorization is voided',
    async (token) => {
      const sku = await shop.product(3);
      const id = await shop.reserved(sku);
      const confirming = shop.confirm(id, token);
      await eventually('the order to be confirming', async () => (await shop.statusOf(id)) === 'confirming');
      const cancelled = await shop.cancel(id, 'too slow');
      expect([cancelled.status, cancelled.body.status, cancelled.body.cancelReason]).toEqual([
        200,
        'cancelled',
        'too slow',
      ]);
      const refused = await confirming;
      expect([refused.status, refused.body.code]).toEqual([409, 'invalid_order_state']);
      expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 0 });
      expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
      expect((await shop.get(`/api/orders/${id}`)).body.payment).toMatchObject({
        status: 'voided',
        attempts: [{ outcome: 'voided' }],
      });
    },
  );

  test('through its workflow returns everything', async () => {
    const sku = await shop.product(2);
    const id = await shop.reserved(sku);
    await (await temporal()).workflow.getHandle(`order/${id}`).cancel();
    await eventually('the order to be cancelled', async () => (await shop.statusOf(id)) === 'cancelled');
    expect(await shop.stock(sku)).toEqual({ onHand: 2, reserved: 0, available: 2 });
  });

  test('that does not exist is 404', async () => {
    expect((await shop.cancel(`ord_${randomUUID()}`)).status).toBe(404);
  });
});

describe('a cancel signal while a confirmation is under way', () => {
  test('leaves goods and money consistent, and the confirming client gets an answer', async () => {
    const round = async (delayMs: number) => {
      const sku = await shop.product(1);
      const id = await shop.reserved(sku);
      const [confirmed] = await Promise.all([
        shop.confirm(id, 'tok_visa'),
        new Promise((resolve) => setTimeout(resolve, delayMs)).then(() =>
          signalOrder(id, 'cancel', { reason: 'now' }).catch(() => undefined),
        ),
      ]);
      const status = await eventually('the order to end', async () => {
        const now = await shop.statusOf(id);
        return (now === 'confirmed' || now === 'cancelled') && now;
      });
      expect(confirmed.status).toBe(status === 'confirmed' ? 200 : 409);
      const sold = status === 'confirmed' ? 1 : 0;
      expect(await shop.stock(sku)).toEqual({ onHand: 1 - sold, reserved: 0, available: 1 - sold });
      expect(holdings(await shop.books(id))).toEqual({ open: 0, net: sold * 1000 });
    };
    await Promise.all([0, 2, 4, 6, 8, 10, 12, 14].map(round));
  });
});

describe('a signal from outside', () => {
  const notes = async (id: string): Promise<string[]> =>
    (await shop.get(`/api/orders/${id}/timeline`)).body.items
      .filter(({ from, to }: { from: string; to: string }) => from === to)
      .map(({ reason }: { reason: string }) => reason);

  test('cancels an order', async () => {
    const sku = await shop.product(2);
    const id = await shop.reserved(sku);
    await signalOrder(id, 'cancel', { reason: 'by hand' });
    await eventually('the order to be cancelled', async () => (await shop.statusOf(id)) === 'cancelled');
    expect((await shop.get(`/api/orders/${id}`)).body.cancelReason).toBe('by hand');
    expect(await shop.stock(sku)).toEqual({ onHand: 2, reserved: 0, available: 2 });
  });

  test('confirms an order with the card in its payload', async () => {
    const id = await shop.reserved(await shop.product(2));
    await signalOrder(id, 'confirm', { payment: { cardToken: 'tok_visa' } });
    await eventually('the order to be confirmed', async () => (await shop.statusOf(id)) === 'confirmed');
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 1000 });
  });

  test("without a payload confirms with the order's card", async () => {
    const id = await shop.reserved(await shop.product(2), 1, { payment: { cardToken: 'tok_visa' } });
    await signalOrder(id, 'confirm');
    await eventually('the order to be confirmed', async () => (await shop.statusOf(id)) === 'confirmed');
  });

  test.concurrent.each([
    ['confirm', ['yes please'], 'not an object'],
    ['confirm', [{ payment: { cardToken: 5 } }], 'not a card token'],
    ['confirm', [{ payment: {}, hurry: true }], 'has a field other than payment'],
    ['confirm', [], 'no payment'],
    ['cancel', [{ reason: 42 }], 'reason is not a text'],
    ['cancel', [[]], 'not an object'],
    ['cancel', [{ reason: 'a\u0000b' }], 'reason is not a text'],
    ['cancel', [{ reason: '\ud800' }], 'reason is not a text'],
    ['cancel', [{ reason: 'my card is 4242 4242 4242 4242' }], 'looks like a card number'],
    ['cancel', [{ '4242424242424242': 'mine' }], 'looks like a card number'],
    ['confirm', [{ payment: { cardToken: 'tok_4242424242424242' } }], 'looks like a card number'],
    ['confirm', [{ payment: { cardToken: 'tok_visa\u0000' } }], 'not a card token'],
  ])('%s with payload %j is recorded on the timeline and ignored', async (name, payload, problem) => {
    const id = await shop.reserved(await shop.product(2));
    await signalOrder(id, name, ...payload);
    await eventually('the note', async () =>
      (await notes(id)).some((note) => note.includes(problem) && note.startsWith(`signal ${name} ignored`)),
    );
    expect(await shop.statusOf(id)).toBe('reserved');
    expect(await shop.books(id)).toEqual([]);
    expect((await shop.must(200, shop.cancel(id))).body.status).toBe('cancelled');
    const known = [await shop.get(`/api/orders/${id}`), await shop.get(`/api/orders/${id}/timeline`)];
    expect(JSON.stringify(known.map(({ body }) => body))).not.toMatch(/4242 ?4242|\\u0000/);
  });

  test('in the wrong state is recorded on the timeline and ignored', async () => {
    const { body: draft } = await shop.order({});
    await signalOrder(draft.id, 'confirm', { payment: { cardToken: 'tok_visa' } });
    await eventually('the note', async () =>
      (await notes(draft.id)).some((note) => note.includes('draft cannot become')),
    );
    expect(await shop.statusOf(draft.id)).toBe('draft');
  });
});
