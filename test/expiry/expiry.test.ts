import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../setup/stack.js';
import { eventually, Shop } from '../shop.js';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack({
    RESERVATION_TTL_SECONDS: '3',
    DRAFT_TTL_SECONDS: '2',
    EXPIRY_SWEEP_SECONDS: '1',
    GATEWAY_TIMEOUT_SECONDS: '1',
    RETRY_BASE_SCALE: '0.01',
  });
  shop = new Shop(stack);
});
afterAll(() => stack?.stop());

const toBe = (id: string, status: string) =>
  eventually(`${id} to be ${status}`, async () => (await shop.statusOf(id)) === status);

describe('time that runs out', () => {
  test('expires an order and gives its stock back', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    await toBe(id, 'expired');
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    expect(await shop.path(id)).toEqual(['pending', 'reserved', 'expired']);
    const late = await shop.confirm(id, 'tok_visa');
    expect([late.status, late.body.code, late.body.from]).toEqual([409, 'invalid_order_state', 'expired']);
    expect(await shop.books(id)).toEqual([]);
  });

  test('expires a draft', async () => {
    const { body } = await shop.order({});
    await toBe(body.id, 'expired');
  });

  test('does not touch an order that is confirming', async () => {
    const sku = await shop.product(1);
    const id = await shop.reserved(sku);
    const { body } = await shop.confirm(id, 'tok_slow_2000');
    expect(body.status).toBe('confirmed');
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  });

  test('ends an order whose payment was refused after it ran out', async () => {
    const sku = await shop.product(1);
    const id = await shop.reserved(sku);
    const refused = await shop.post(
      `/api/orders/${id}/confirm`,
      { payment: { cardToken: 'tok_capture_timeout_9' } },
      { prefer: 'respond-async' },
    );
    expect(refused.status).toBe(202);
    await toBe(id, 'expired');
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
    expect(await shop.books(id)).toMatchObject([{ status: 'voided', captured: 0 }]);
  });

  test('expires a direct reservation by the sweep', async () => {
    const sku = await shop.product(2);
    const { body } = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 2, expiresInSeconds: 1 }));
    await eventually('the reservation to be swept', async () => {
      const found = await shop.get(`/api/reservations/${body.id}`);
      return found.body.status === 'expired' && (await shop.stock(sku)).reserved === 0;
    });
    const { body: movements } = await shop.get(`/api/inventory/${sku}/movements`);
    expect(movements.items[0]).toMatchObject({ kind: 'expired', onHandDelta: 0, reservedDelta: -2, actor: 'sweep' });
  });

  test('expires by the sweep an order whose workflow was lost', async () => {
    const sku = await shop.product(1);
    const id = await shop.reserved(sku);
    const connection = await Connection.connect({ address: stack.temporalAddress });
    await new Client({ connection }).workflow.getHandle(`order/${id}`).terminate('lost');
    await connection.close();
    await toBe(id, 'expired');
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });
});
