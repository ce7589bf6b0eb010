import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { createTransferStore } from '../../../db/transfers/store.js';
import { sharedShop } from '../../shared.js';
import { goods } from '../transfers/goods.js';
import { loseAnswer } from './lost-answer.js';
import { eventually, newSku } from './supplied.js';

const shop = sharedShop();
const connection = connect(inject('databaseUrl'), { applicationName: 'holdfast test', maxConnections: 2 });
afterAll(() => connection.close());

const operate = (operation: string, sku: string, quantity: number, more: object = {}, headers = {}) =>
  shop.post('/api/inventory/operations', { operation, sku, quantity, ...more }, headers);

describe('an inventory operation', () => {
  it('reserves available stock, and returns the hold and the new level', async () => {
    const sku = await shop.product(10);
    const { status, body } = await operate('reserve', sku, 4);
    expect(status).toBe(200);
    expect(body).toEqual({
      operation: 'reserve',
      sku,
      quantity: 4,
      reservationId: expect.stringMatching(/^rsv_/),
      onHand: 10,
      reserved: 4,
      available: 6,
      replenishmentTriggered: false,
    });
    const hold = await shop.must(200, shop.get(`/api/reservations/${body.reservationId}`));
    expect(hold.body).toMatchObject({ status: 'pending', quantity: 4, location: 'main' });
    expect(Date.parse(hold.body.expiresAt)).toBeGreaterThan(Date.now());
  });

  it('releases part of a hold, then the rest, and nothing more', async () => {
    const sku = await shop.product(10);
    const { reservationId } = (await operate('reserve', sku, 5)).body;
    const part = await operate('release', sku, 2, { reservationId });
    expect(part.body).toMatchObject({ quantity: 2, reservationId, onHand: 10, reserved: 3, available: 7 });
    const tooMuch = await operate('release', sku, 4, { reservationId });
    expect(tooMuch).toMatchObject({ status: 409, body: { code: 'insufficient_stock', available: 3, requested: 4 } });
    expect((await operate('release', sku, 3, { reservationId })).body).toMatchObject({ reserved: 0, available: 10 });
    const again = await operate('release', sku, 1, { reservationId });
    expect(again).toMatchObject({ status: 409, body: { code: 'reservation_decided' } });
    expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 0, available: 10 });
  });

  it('consumes only what is not reserved', async () => {
    const sku = await shop.product(5);
    await operate('reserve', sku, 3);
    expect((await operate('consume', sku, 2)).body).toMatchObject({ onHand: 3, reserved: 3, available: 0 });
    const refused = await operate('consume', sku, 1);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      code: 'insufficient_stock',
      detail: 'insufficient stock: available=0, requested=1',
      sku,
      location: 'main',
    });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 3, available: 0 });
  });

  it('acts once for an idempotency key', async () => {
    const sku = await shop.product(10);
    const key = { 'idempotency-key': randomUUID() };
    const first = await operate('consume', sku, 3, {}, key);
    const second = await operate('consume', sku, 3, {}, key);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await shop.stock(sku)).onHand).toBe(7);
  });

  it('acts once even if the first answer was lost', async () => {
    const sku = await shop.product(10);
    for (const operation of ['consume', 'reserve']) {
      const key = randomUUID();
      const first = await operate(operation, sku, 3, {}, { 'idempotency-key': key });
      await loseAnswer(connection.sql, key);
      // What was done stays done, even if the product is no longer sold.
      await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { status: 'archived' }));
      const second = await operate(operation, sku, 3, {}, { 'idempotency-key': key });
      expect([second.status, second.headers.has('idempotency-replayed')]).toEqual([200, false]);
      expect(second.body).toEqual(first.body);
      await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { status: 'active' }));
    }
    expect(await shop.stock(sku)).toEqual({ onHand: 7, reserved: 3, available: 4 });
  });

  it("does not touch a transfer's holds", async () => {
    const { sku, from, to } = await goods(shop, 5);
    const transferId = `trf_${randomUUID().replaceAll('-', '')}`;
    const reservationId = `rsv_${randomUUID().replaceAll('-', '')}`;
    const opened = await createTransferStore(connection.sql).apply({
      step: 'open',
      key: `${transferId}/open`,
      ...{ transferId, reservationId, workflowId: `transfer/${transferId}`, actor: 'test', traceId: '' },
      ...{ sku, quantity: 2, from, to, mode: 'shipped' },
    });
    expect(opened).toMatchObject({ outcome: 'done', state: { status: 'reserved' } });
    const refused = await operate('release', sku, 1, { reservationId });
    expect(refused).toMatchObject({ status: 409, body: { code: 'invalid_state', transferId } });
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 2, available: 3 });
  });

  it('is logged with its figures, actor and request; a refused one is not', async () => {
    const sku = await shop.product(4);
    const requestId = `req-${randomUUID()}`;
    const { body } = await operate('reserve', sku, 3, {}, { 'x-request-id': requestId });
    await operate('consume', sku, 2);
    await operate('consume', sku, 1);
    const logged = () =>
      readFileSync(join(inject('home'), 'logs', 'api.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('inventory operation done') && line.includes(sku))
        .map((line) => JSON.parse(line));
    const [reserved, consumed, ...more] = await eventually('the log', async () => logged().length >= 2 && logged());
    const actor = expect.stringMatching(/^api_key:key_/);
    const { reservationId } = body;
    expect(reserved).toMatchObject({ operation: 'reserve', sku, quantity: 3, reservationId, requestId, actor });
    expect(consumed).toMatchObject({ operation: 'consume', sku, quantity: 1, actor });
    expect(more).toEqual([]);
  });

  it('does not touch the holds of an order, of another SKU or at another location', async () => {
    const sku = await shop.product(10);
    const orderId = await shop.reserved(sku, 2);
    const { lines } = (await shop.get(`/api/orders/${orderId}`)).body;
    const ofOrder = await operate('release', sku, 1, { reservationId: lines[0].reservationId });
    expect(ofOrder).toMatchObject({ status: 409, body: { code: 'invalid_state', orderId } });

    const { reservationId } = (await operate('reserve', sku, 1)).body;
    const other = await operate('release', await shop.product(1), 1, { reservationId });
    expect(other).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    const elsewhere = await operate('release', sku, 1, { reservationId, location: 'north' });
    expect(elsewhere).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect(await shop.stock(sku)).toEqual({ onHand: 10, reserved: 3, available: 7 });
  });

  it('is refused with a code if it is impossible', async () => {
    const sku = await shop.product(1);
    const draft = `T-${randomUUID().slice(0, 13)}`;
    await shop.must(
      201,
      shop.post('/api/products', { sku: draft, name: 'D', price: { amount: 1, currency: 'USD' }, status: 'draft' }),
    );
    const refused = async (answer: ReturnType<typeof operate>) => {
      const { status, body } = await answer;
      return [status, body.code, ...(body.errors ?? []).map((error: { pointer: string }) => error.pointer)];
    };
    expect(await refused(operate('consume', 'no-such-sku', 1))).toEqual([422, 'unknown_sku', '/sku']);
    expect(await refused(operate('consume', sku, 1, { location: 'nowhere' }))).toEqual([
      422,
      'unknown_location',
      '/location',
    ]);
    expect(await refused(operate('reserve', draft, 1))).toEqual([409, 'product_not_active']);
    expect(await refused(operate('release', sku, 1, { reservationId: 'rsv_none' }))).toEqual([404, 'not_found']);
    expect(await refused(operate('release', sku, 1))).toEqual([422, 'validation_failed', '/reservationId']);
    expect(await refused(operate('consume', sku, 0))).toEqual([422, 'validation_failed', '/quantity']);
    expect(await refused(operate('steal', sku, 1))).toEqual([422, 'validation_failed', '/operation']);
    expect(await refused(operate('consume', sku, 1, { reason: 'x' }))).toEqual([422, 'validation_failed', '/reason']);
  });

  it('says if it leaves so little that a replenishment starts', async () => {
    const sku = await newSku(shop, { stock: 10, reorderPoint: 5 });
    const askedFor = async () => (await shop.must(200, shop.get(`/api/replenishments?sku=${sku}`))).body.items;
    expect((await operate('consume', sku, 4)).body).toMatchObject({ onHand: 6, replenishmentTriggered: false });
    expect(await askedFor()).toEqual([]);
    expect((await operate('consume', sku, 1)).body).toMatchObject({ onHand: 5, replenishmentTriggered: true });
    await eventually('a replenishment to start', async () => (await askedFor()).length === 1);
    const alone = await shop.product(5);
    await shop.must(200, shop.call('PATCH', `/api/products/${alone}`, { reorderPoint: 5 }));
    expect((await operate('consume', alone, 1)).body).toMatchObject({ replenishmentTriggered: false });
  });

  it('notifies the warehouse if more than 10 units move at once, and the managers when stock becomes low', async () => {
    const sku = await newSku(shop, { stock: 40, reorderPoint: 15 });
    const told = async (address: string) =>
      (await shop.mailTo(`${address}@holdfast.example`)).filter(({ subject }) => subject.includes(sku));
    await operate('consume', sku, 10);
    await operate('consume', sku, 11);
    await operate('consume', sku, 4);
    await operate('consume', sku, 1);
    await eventually('the managers to be notified', async () => (await told('managers')).length > 0);
    await eventually('the warehouse to be notified', async () => (await told('warehouse')).length > 0);
    expect((await told('managers')).map(({ subject, text }) => [subject, text])).toEqual([
      [`Low stock: ${sku} at main`, `15 of ${sku} are left at main; the reorder point is 15.\n`],
    ]);
    expect((await told('warehouse')).map(({ subject }) => subject)).toEqual([`Large movement: ${sku}`]);
  });
});
