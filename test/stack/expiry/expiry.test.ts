import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { type Stack, startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';

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

describe('a hold that Postgres refuses to release', () => {
  test('opens a review and does not keep the sweep from other holds', async () => {
    const { sql, close } = connect(stack.databaseUrl, { applicationName: 'expiry test', maxConnections: 1 });
    const [stuck, other] = [await shop.product(2), await shop.product(2)];
    await sql.unsafe(`
      create function planted() returns trigger language plpgsql as
        $$ begin raise exception 'planted for a test' using errcode = '23514'; end $$;
      create trigger planted before update on reservations for each row
        when (new.sku = '${stuck}' and new.status = 'expired') execute function planted()`);
    const hold = async (sku: string) => {
      const wanted = { sku, quantity: 1, expiresInSeconds: 1 };
      return (await shop.must(201, shop.post('/api/reservations', wanted))).body.id as string;
    };
    const [stuckId, otherId] = [await hold(stuck), await hold(other)];
    const statusOf = async (id: string) => (await shop.get(`/api/reservations/${id}`)).body.status;
    const cases = async (status: string) => {
      const { body } = await shop.must(200, shop.get(`/api/reviews?status=${status}&limit=200`));
      return body.items.filter(({ subject }: { subject: string }) => subject === `reservation/${stuckId}`);
    };
    await eventually('the other hold to end', async () => (await statusOf(otherId)) === 'expired');
    const [review] = await eventually('the case', async () => {
      const found = await cases('open');
      return found.length > 0 && found;
    });
    expect(review).toMatchObject({ kind: 'sweep_failed', detail: { reservationId: stuckId } });
    expect(review.lastError).toContain('SQLSTATE 23514');
    expect(await statusOf(stuckId)).toBe('pending');
    // Every sweep runs into it, but there is one review.
    const later = await hold(other);
    await eventually('a later hold to end', async () => (await statusOf(later)) === 'expired');
    expect(await cases('open')).toHaveLength(1);
    await sql.unsafe('drop function planted cascade');
    await eventually('the hold to end', async () => (await statusOf(stuckId)) === 'expired');
    await close();
  });
});

describe.concurrent('the end of a hold', () => {
  test('expires an order and returns its stock', async () => {
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

  test('ends an order whose payment is refused afterwards', async () => {
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

  test('expires a direct reservation, through the sweep', async () => {
    const sku = await shop.product(2);
    const { body } = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 2, expiresInSeconds: 1 }));
    await eventually('the reservation to be swept', async () => {
      const found = await shop.get(`/api/reservations/${body.id}`);
      return found.body.status === 'expired' && (await shop.stock(sku)).reserved === 0;
    });
    const { body: movements } = await shop.get(`/api/inventory/${sku}/movements`);
    expect(movements.items[0]).toMatchObject({ kind: 'expired', onHandDelta: 0, reservedDelta: -2, actor: 'sweep' });
  });

  test('expires an order whose workflow was lost, through the sweep', async () => {
    const sku = await shop.product(1);
    const id = await shop.reserved(sku);
    const connection = await Connection.connect({ address: stack.temporalAddress });
    await new Client({ connection }).workflow.getHandle(`order/${id}`).terminate('lost');
    await connection.close();
    await toBe(id, 'expired');
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });
});
