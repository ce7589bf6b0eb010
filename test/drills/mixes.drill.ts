import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { type Answer, eventually } from '../shop.js';

const own = ownStack({
  WORKERS: '2',
});
beforeAll(async () => {
  await insist('/api/locations', { code: 'mixes-west', name: 'West' });
});

/** On hand and reserved at two locations, and the orders with holds. */
interface Model {
  readonly main: { onHand: number; reserved: number };
  readonly west: { onHand: number };
  readonly orders: { readonly id: string; readonly quantity: number }[];
}

const step = fc.record({
  kind: fc.constantFrom(
    'receive',
    'consume',
    'bulk',
    'order',
    'cancel',
    'buy',
    'transfer',
    'back',
    'expire',
    'kill',
    'kill',
  ),
  quantity: fc.integer({ min: 1, max: 12 }),
  /** How long after the start of the next step the victim is killed. */
  afterMs: fc.integer({ min: 0, max: 40 }),
  victim: fc.constantFrom('worker', 'api', 'postgres', 'temporal', 'sandbox'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The process to kill during the next call. */
const doomed: Pick<Step, 'victim' | 'afterMs'>[] = [];

/** Kills the planned victim during the call that begins now. */
function strike(): void {
  for (const { victim, afterMs } of doomed.splice(0)) {
    // The stack is already restarting a process that is down.
    setTimeout(() => void own.stack.kill(victim).catch(() => undefined), afterMs);
  }
}

/** Repeats a call with its key, as a client should, until it gets a definite answer. */
function insist(path: string, body: object): Promise<Answer> {
  const key = randomUUID();
  strike();
  return eventually(`an answer to ${path}`, async () => {
    const answer = await own.shop.post(path, body, { 'idempotency-key': key, prefer: 'wait=20' });
    const open = answer.status >= 500 || answer.status === 202 || answer.body?.code === 'request_in_progress';
    if (answer.status === 202) return await decided(answer);
    return !open && answer;
  });
}

/** The result of an order or a transfer answered with 202; undefined until it is decided. */
async function decided({ body }: Answer): Promise<Answer | undefined> {
  const path = body.id.startsWith('trf_') ? '/api/transfers' : '/api/orders';
  const now = await own.shop.get(`${path}/${body.id}`);
  const open = now.status !== 200 || ['pending', 'confirming'].includes(now.body.status);
  return open ? undefined : { ...now, status: now.body.status === 'failed' ? 409 : 201 };
}

test('random operations under random kills lead to the levels of a small model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 25 }), async (steps) => {
      const sku = `MIX-${randomUUID()}`;
      await insist('/api/products', { sku, name: 'Mix', price: { amount: 100, currency: 'USD' } });
      await insist(`/api/inventory/${sku}/receipts`, { quantity: 20 });
      const model: Model = { main: { onHand: 20, reserved: 0 }, west: { onHand: 0 }, orders: [] };
      for (const each of steps) await take(sku, model, each);
      await eventually('the levels of the model', async () => {
        const { status, body } = await own.shop.get(`/api/inventory/${sku}`);
        if (status !== 200) return false;
        const at = (location: string) =>
          body.locations.find((level: { location: string }) => level.location === location) ?? {
            onHand: 0,
            reserved: 0,
          };
        expect([at('main').onHand, at('main').reserved]).toEqual([model.main.onHand, model.main.reserved]);
        expect([at('mixes-west').onHand, body.inTransit]).toEqual([model.west.onHand, 0]);
        return true;
      });
      expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
    }),
    // Shrinking would run other kills, so report the first counterexample.
    { numRuns: 6, endOnFailure: true },
  );
}, 900_000);

async function take(sku: string, model: Model, { kind, quantity, victim, afterMs }: Step): Promise<void> {
  const { main, west, orders } = model;
  const free = main.onHand - main.reserved;
  switch (kind) {
    case 'kill':
      doomed.push({ victim, afterMs });
      return;
    case 'receive':
      expect((await insist(`/api/inventory/${sku}/receipts`, { quantity })).status).toBe(201);
      main.onHand += quantity;
      return;
    case 'consume': {
      const { status } = await insist('/api/inventory/operations', { operation: 'consume', sku, quantity });
      expect(status).toBe(quantity <= free ? 200 : 409);
      if (status === 200) main.onHand -= quantity;
      return;
    }
    case 'bulk': {
      const operations = Array.from({ length: quantity }, () => ({ operation: 'consume', sku, quantity: 2 }));
      const { body } = await insist('/api/inventory/bulk', { operations });
      expect(body.succeeded).toBe(Math.min(quantity, Math.floor(free / 2)));
      main.onHand -= 2 * body.succeeded;
      return;
    }
    case 'order': {
      const { status, body } = await insist('/api/orders', { lines: [{ sku, quantity }] });
      expect(status).toBe(quantity <= free ? 201 : 409);
      if (status !== 201) return;
      orders.push({ id: body.id, quantity });
      main.reserved += quantity;
      return;
    }
    case 'buy': {
      const payment = { cardToken: 'tok_visa' };
      const { status, body } = await insist('/api/orders', { lines: [{ sku, quantity }], confirm: true, payment });
      if (quantity > free) {
        expect(status).toBe(409);
      } else if (status === 402 || body.status === 'reserved') {
        // The processor was down for too long: no money was taken, and the goods stay held for another card.
        orders.push({ id: body.orderId ?? body.id, quantity });
        main.reserved += quantity;
      } else {
        expect(status).toBe(201);
        main.onHand -= quantity;
      }
      return;
    }
    case 'cancel': {
      const order = orders.shift();
      if (order === undefined) return;
      await insist(`/api/orders/${order.id}/cancel`, { reason: 'mixed' });
      await eventually('the order to be cancelled', async () => (await own.shop.statusOf(order.id)) === 'cancelled');
      main.reserved -= order.quantity;
      return;
    }
    case 'transfer':
    case 'back': {
      const there = kind === 'transfer';
      const [from, to] = there ? ['main', 'mixes-west'] : ['mixes-west', 'main'];
      const fits = quantity <= (there ? free : west.onHand);
      const { status } = await insist('/api/transfers', { sku, quantity, from, to });
      expect(status).toBe(fits ? 201 : 409);
      if (!fits) return;
      main.onHand += there ? -quantity : quantity;
      west.onHand += there ? quantity : -quantity;
      return;
    }
    case 'expire': {
      const { status } = await insist('/api/reservations', { sku, quantity, expiresInSeconds: 1 });
      expect(status).toBe(quantity <= free ? 201 : 409);
      if (status !== 201) return;
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await insist('/api/reservations/expire', {});
      return;
    }
  }
}
