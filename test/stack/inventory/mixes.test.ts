import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';

/** Two API processes, in turns: both must give the same figures. */
const shops = [sharedShop(0), sharedShop(1)] as const;
const shop = shops[0];

/** One product at one location, as simply as possible. */
interface Model {
  onHand: number;
  reserved: number;
  readonly holds: { readonly id: string; quantity: number }[];
  readonly orders: { readonly id: string; readonly quantity: number }[];
}

interface Step {
  readonly kind: 'receive' | 'consume' | 'reserve' | 'release' | 'bulk' | 'batch' | 'order' | 'cancel' | 'expire';
  readonly quantity: number;
  /** Picks one of the existing items. */
  readonly pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    {
      weight: 30,
      arbitrary: fc.constantFrom('receive', 'consume', 'reserve', 'release', 'bulk', 'batch', 'order', 'cancel'),
    },
    // It waits for a second, the shortest time of a hold.
    { weight: 1, arbitrary: fc.constant('expire') },
  ),
  quantity: fc.integer({ min: 1, max: 12 }),
  pick: fc.nat(),
});

/** Cases that chance could miss: each kind once with enough stock, and once with too little. */
const everyKind: readonly Step[] = (
  [
    ['reserve', 5],
    ['release', 2],
    ['release', 4],
    ['order', 6],
    ['consume', 3],
    ['consume', 10],
    ['expire', 4],
    ['bulk', 2],
    ['cancel', 1],
    ['batch', 12],
    ['batch', 1],
    ['release', 3],
    ['receive', 7],
    ['reserve', 12],
    ['bulk', 12],
  ] as const
).map(([kind, quantity]) => ({ kind, quantity, pick: 0 }));

it('random operations through either process lead to the levels of a ten-line model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const sku = await shop.product(20);
      const model: Model = { onHand: 20, reserved: 0, holds: [], orders: [] };
      for (const [index, each] of steps.entries()) {
        await take(shops[index % 2] ?? shop, sku, model, each);
        const { onHand, reserved } = model;
        expect(await shop.stock(sku)).toEqual({ onHand, reserved, available: onHand - reserved });
      }
      expect(await shop.verified()).toEqual({ clean: true, differences: [] });
    }),
    // Each run takes its time, and others share the stack: the first counterexample is enough.
    { numRuns: 8, examples: [[[...everyKind]]], endOnFailure: true },
  );
}, 120_000);

type Asked = typeof shop;

/** Does the step for real and in the model. Both must accept it, or both refuse it. */
async function take(asked: Asked, sku: string, model: Model, { kind, quantity, pick }: Step): Promise<void> {
  const free = model.onHand - model.reserved;
  const operate = (body: object) => asked.post('/api/inventory/operations', { sku, quantity, ...body });
  switch (kind) {
    case 'receive':
      expect((await asked.post(`/api/inventory/${sku}/receipts`, { quantity })).status).toBe(201);
      model.onHand += quantity;
      return;
    case 'consume':
      expect((await operate({ operation: 'consume' })).status).toBe(quantity <= free ? 200 : 409);
      if (quantity <= free) model.onHand -= quantity;
      return;
    case 'reserve': {
      const { status, body } = await operate({ operation: 'reserve' });
      expect(status).toBe(quantity <= free ? 200 : 409);
      if (status !== 200) return;
      model.holds.push({ id: body.reservationId, quantity });
      model.reserved += quantity;
      return;
    }
    case 'release': {
      const hold = model.holds[pick % Math.max(1, model.holds.length)];
      if (hold === undefined) return;
      const fits = quantity <= hold.quantity;
      expect((await operate({ operation: 'release', reservationId: hold.id })).status).toBe(fits ? 200 : 409);
      if (!fits) return;
      hold.quantity -= quantity;
      model.reserved -= quantity;
      return;
    }
    case 'bulk': {
      const operations = Array.from({ length: quantity }, () => ({ operation: 'consume', sku, quantity: 2 }));
      const { status, body } = await asked.post('/api/inventory/bulk', { operations });
      const fit = Math.min(quantity, Math.floor(free / 2));
      expect([status, body.succeeded]).toEqual([fit > 0 ? 200 : 422, fit]);
      model.onHand -= 2 * fit;
      return;
    }
    case 'batch': {
      const updates = [1, 2].map(() => ({ sku, quantity: -quantity }));
      const fits = 2 * quantity <= free;
      expect((await asked.post('/api/inventory/batch', { updates })).status).toBe(fits ? 200 : 409);
      if (fits) model.onHand -= 2 * quantity;
      return;
    }
    case 'order': {
      const { status, body } = await eventually('the order to be admitted', async () => {
        const answer = await asked.order({ lines: [{ sku, quantity }] });
        // Refused in overload, without a trace.
        return answer.status !== 503 && answer;
      });
      expect(status).toBe(quantity <= free ? 201 : 409);
      if (status !== 201) return;
      model.orders.push({ id: body.id, quantity });
      model.reserved += quantity;
      return;
    }
    case 'cancel': {
      const order = model.orders.shift();
      if (order === undefined) return;
      expect((await asked.cancel(order.id)).status).toBe(200);
      model.reserved -= order.quantity;
      return;
    }
    case 'expire': {
      const held = await asked.post('/api/reservations', { sku, quantity, expiresInSeconds: 1 });
      expect(held.status).toBe(quantity <= free ? 201 : 409);
      if (held.status !== 201) return;
      await new Promise((resolve) => setTimeout(resolve, 1050));
      expect((await asked.post('/api/reservations/expire')).status).toBe(200);
      return;
    }
  }
}
