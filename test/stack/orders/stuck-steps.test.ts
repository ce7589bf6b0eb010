/** Steps that Postgres refuses for good open a review, are never retried silently, and can be cancelled. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { sharedShop } from '../../shared.js';
import { eventually, holdings } from '../../shop.js';

const shop = sharedShop();
const { sql, close } = connect(inject('databaseUrl'), { applicationName: 'stuck steps', maxConnections: 2 });
let temporal: Connection;
beforeAll(async () => {
  temporal = await Connection.connect({ address: inject('temporalAddress') });
});
const planted: Plant[] = [];
afterEach(async () => {
  for (const plant of planted.splice(0)) await plant.remove();
});
afterAll(async () => {
  await temporal.close();
  await close();
});

interface Plant {
  remove(): Promise<void>;
}

/** Makes Postgres refuse, with this SQLSTATE, to write rows of `table` that meet `condition`. */
async function plant(table: string, condition: string, sqlState: string): Promise<Plant> {
  const name = `planted_${randomUUID().replaceAll('-', '')}`;
  await sql.unsafe(`
    create function ${name}() returns trigger language plpgsql as
      $$ begin raise exception 'planted for a test' using errcode = '${sqlState}'; end $$;
    create trigger ${name} before insert or update on ${table} for each row when (${condition}) execute function ${name}()`);
  const plant = { remove: async () => void (await sql.unsafe(`drop function if exists ${name} cascade`)) };
  planted.push(plant);
  return plant;
}

async function reviewOf(subject: string) {
  return eventually(`a review of ${subject}`, async () => {
    const { body } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
    return body.items.find((item: { subject: string }) => item.subject === subject);
  });
}
const statusOfReview = async (id: string) => (await shop.must(200, shop.get(`/api/reviews/${id}`))).body.status;
const resolve = (id: string, resolution: 'retry' | 'done') =>
  shop.must(200, shop.post(`/api/reviews/${id}/resolve`, { resolution, note: 'seen' }));
const toBe = (id: string, status: string) =>
  eventually(`${id} to be ${status}`, async () => (await shop.statusOf(id)) === status);
const soon = { prefer: 'wait=1' };

describe('an order', () => {
  test('that cannot be confirmed goes to review, and can be cancelled even if the cause remains', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    await plant('orders', `new.id = '${id}' and new.status = 'confirming'`, '22000');
    const confirming = shop.confirm(id, 'tok_visa');
    const review = await reviewOf(`order/${id}`);
    expect(review).toMatchObject({ kind: 'step_failed', detail: { step: 'beginConfirm', canBeGivenUp: true } });
    expect(review.lastError).toContain('SQLSTATE 22000');
    expect((await shop.must(200, shop.cancel(id))).body.status).toBe('cancelled');
    expect(await confirming).toMatchObject({ status: 500, body: { code: 'internal', orderId: id } });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    expect(await shop.books(id)).toEqual([]);
    expect(await statusOfReview(review.id)).toBe('resolved');
  });

  test('that was paid but cannot be settled is settled once the cause is gone and a reviewer says retry', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    const cause = await plant('orders', `new.id = '${id}' and new.status = 'confirmed'`, '23514');
    const confirmed = shop.confirm(id, 'tok_visa');
    const review = await reviewOf(`order/${id}`);
    expect(review.lastError).toMatch(/SQLSTATE 23514.*planted for a test/);
    await resolve(review.id, 'retry');
    expect(await shop.statusOf(id)).toBe('confirming');
    await cause.remove();
    await resolve(review.id, 'retry');
    expect((await confirmed).body.status).toBe('confirmed');
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 2000 });
    await eventually('the review to be closed', async () => (await statusOfReview(review.id)) === 'resolved');
  });

  test.each([
    ['is cancelled', 'cancelled', (id: string) => shop.cancel(id)],
    ['is given up by a reviewer', 'failed', async (id: string) => resolve((await reviewOf(`order/${id}`)).id, 'done')],
  ])('that was paid but cannot be settled returns the money if it %s', async (_what, status, end) => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    await plant('orders', `new.id = '${id}' and new.status = 'confirmed'`, '23514');
    const confirming = shop.confirm(id, 'tok_visa');
    await reviewOf(`order/${id}`);
    await end(id);
    await toBe(id, status);
    expect((await confirming).status).toBe(500);
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 0 });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('that cannot be ended stays in review until it can; cancelling works once the cause is gone', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    const cause = await plant('orders', `new.id = '${id}' and new.status = 'cancelled'`, '23514');
    expect((await shop.post(`/api/orders/${id}/cancel`, { reason: 'late' }, soon)).status).toBe(202);
    const first = await reviewOf(`order/${id}`);
    expect(first.detail).toMatchObject({ step: 'closeOrder', canBeGivenUp: false });
    // It must be ended, so a reviewer who marks it as done sees it again.
    await resolve(first.id, 'done');
    const second = await reviewOf(`order/${id}`);
    expect(second.id).not.toBe(first.id);
    await cause.remove();
    await toBe(id, 'cancelled');
    await eventually('the review to be closed', async () => (await statusOfReview(second.id)) === 'resolved');
    expect((await shop.must(200, shop.cancel(id))).body.cancelReason).toBe('late');
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('that cannot be opened reads pending, and no longer exists once it is cancelled', async () => {
    const sku = await shop.product(3);
    const customer = randomUUID();
    await plant('orders', `new.customer_id = '${customer}'`, '22P02');
    const request = { lines: [{ sku, quantity: 2 }], customer: { id: customer } };
    const { status, body } = await shop.post('/api/orders', request, soon);
    expect([status, body.status]).toEqual([202, 'pending']);
    await reviewOf(`order/${body.id}`);
    expect((await shop.cancel(body.id)).status).toBe(404);
    expect((await shop.get(`/api/orders/${body.id}`)).status).toBe(404);
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('whose goods cannot be received is cancelled, at the supplier too', async () => {
    const sku = await shop.supplied(1, { status: ['ok'] });
    const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 5 }] }));
    await plant('stock_ledger', `new.sku = '${sku}' and new.kind = 'received'`, '23514');
    const review = await reviewOf(`order/${body.id}`);
    expect(review.detail.step).toBe('restockOrder');
    expect((await shop.must(200, shop.cancel(body.id))).body.status).toBe('cancelled');
    expect((await shop.supplierCalls(sku)).at(-1)).toMatchObject({ kind: 'reserve_cancel', outcome: 'cancelled' });
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });
});

test('a payment that cannot be recorded is recorded once the cause is gone', async () => {
  const reference = `ref-${randomUUID()}`;
  const cause = await plant('payments', `new.reference = '${reference}'`, '23514');
  const paying = shop.post('/api/payments', { amount: 700, currency: 'USD', cardToken: 'tok_visa', reference }, soon);
  const { status, body } = await paying;
  expect(status).toBe(202);
  const review = await reviewOf(`payment/${body.id}`);
  expect(review.detail).toMatchObject({ step: 'recordPayment', canBeGivenUp: false });
  await cause.remove();
  await resolve(review.id, 'retry');
  const captured = await eventually('the payment', async () => {
    const read = (await shop.get(`/api/payments/${body.id}`)).body;
    return read.status === 'captured' && read;
  });
  expect(captured.amount).toBe(700);
});

describe('a transfer', () => {
  test('that cannot be shipped goes to review, and returns its goods when it is cancelled', async () => {
    const to = `T${randomUUID().slice(0, 8)}`;
    await shop.must(201, shop.post('/api/locations', { code: to, name: 'There' }));
    const sku = await shop.product(4);
    await plant('transfers', `new.sku = '${sku}' and new.status = 'in_transit'`, '22000');
    const wanted = { sku, quantity: 3, from: 'main', to, mode: 'shipped' };
    const { body } = await shop.must(202, shop.post('/api/transfers', wanted, soon));
    const review = await reviewOf(`transfer/${body.id}`);
    expect(review).toMatchObject({ kind: 'step_failed', detail: { step: 'shipTransfer' } });
    await shop.post(`/api/transfers/${body.id}/cancel`, { reason: 'late' }, { prefer: 'wait=30' });
    const ended = await eventually('its end', async () => {
      const read = (await shop.must(200, shop.get(`/api/transfers/${body.id}`))).body;
      return ['failed', 'cancelled'].includes(read.status) && read;
    });
    expect(ended.failure?.code ?? 'cancelled').toMatch(/internal|cancelled/);
    expect(await shop.stock(sku)).toEqual({ onHand: 4, reserved: 0, available: 4 });
  });
});

describe('a replenishment', () => {
  test('that cannot be planned goes to review, and the reviewer can give it up', async () => {
    const sku = await shop.supplied(1);
    const terms = { supplierPrice: { amount: 10, currency: 'USD' }, maxStock: 20 };
    await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, terms));
    await plant('replenishments', `new.sku = '${sku}'`, '23514');
    const requesting = shop.post('/api/replenishments', { sku }, { prefer: 'wait=30' });
    const review = await reviewOf(`replenishment/${sku}/main`);
    expect(review).toMatchObject({ kind: 'step_failed', detail: { step: 'planReplenishment' } });
    await resolve(review.id, 'done');
    expect(await requesting).toMatchObject({ status: 500, body: { code: 'internal' } });
    const { workflow } = new Client({ connection: temporal, namespace: inject('temporalNamespace') });
    const handle = workflow.getHandle(`replenishment/${sku}/main`);
    await eventually('its end', async () => (await handle.describe()).status.name === 'COMPLETED');
  });
});
