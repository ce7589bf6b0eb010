/** What a replenishment does when its supplier or the database fails, and in which order. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { replenishmentWorkflowId } from '../../workflows/replenishment/contract.js';
import { always, expectSame, fails, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

/** Plans one replenishment of 16; the level needs nothing when it is read again. */
const planned = () =>
  oneAfterTheOther<(request: { replenishmentId: string; sku: string; location: string }) => unknown>(
    ({ replenishmentId: id, sku, location }) => ({
      kind: 'running',
      replenishment: {
        ...{ id, sku, location, quantity: 16, unitPrice: { amount: 10, currency: 'USD' } },
        ...{ supplierId: 'sup_1', supplierUrl: null, purchaseOrder: null, adopted: false },
      },
    }),
    () => ({ kind: 'quiet' }),
  );

const placed = { id: 'order-1', status: 'ordered' };
/** Steps that all succeed. */
const good: Script = {
  askAvailability: ({ replenishment }) => replenishment.quantity,
  placeSupplierOrder: () => placed,
  cancelSupplierOrder: () => null,
  askDelivery: () => 'delivered',
  recordPurchaseOrder: (_planned, supplierOrderId) => ({
    ...{ id: 'po_1', supplierOrderId, shipped: false, orderedAt: new Date().toISOString(), delaySeconds: 0 },
  }),
  receiveDelivery: () => 'received',
  reportReplenishmentFailure: () => undefined,
  failReplenishment: () => undefined,
  openReview: () => undefined,
  closeReview: () => undefined,
};
const begin = faultyWorker(good);

function replenish(script: Script): Promise<SagaRun> {
  const sku = `W-${randomUUID().slice(0, 13)}`;
  const nextPlan = planned();
  const input = {
    ...{ replenishmentId: newId('rpl'), sku, location: 'main', cause: 'request', ...anyInput },
    ...{ deliveryCheckSeconds: 0.05, deliveryMaxDays: 1 },
  };
  return begin('replenishment', replenishmentWorkflowId(sku, 'main'), input, {
    planReplenishment: (request) => nextPlan()(request),
    ...script,
  });
}

/** The names of the steps but for the plans. */
const askedOf = (run: SagaRun) => run.steps.filter((step) => step !== 'planReplenishment');

describe('a replenishment', () => {
  test('outlives an outage of its supplier, and orders under one key', async () => {
    const run = await replenish({
      placeSupplierOrder: oneAfterTheOther<unknown>(fails('unreachable'), fails('unreachable'), placed),
    });
    expect(await run.running.result()).toEqual({ status: 'completed' });
    expect(askedOf(run)).toEqual([
      ...['askAvailability', 'placeSupplierOrder', 'placeSupplierOrder', 'placeSupplierOrder'],
      ...['recordPurchaseOrder', 'askDelivery', 'receiveDelivery'],
    ]);
    expectSame(run.argsOf('placeSupplierOrder').map(([asked]) => asked));
  });

  test('whose supplier has none orders nothing and cancels nothing', async () => {
    const run = await replenish({ askAvailability: () => 0 });
    expect(await run.running.result()).toEqual({ status: 'failed' });
    expect(askedOf(run)).toEqual(['askAvailability', 'failReplenishment']);
    expect(run.argsOf('failReplenishment')[0]?.[1]).toMatchObject({ code: 'supplier_refused' });
  });

  test('whose supplier never answers tells a person, cancels by the key, and only then fails', async () => {
    const run = await replenish({
      placeSupplierOrder: always(() => fails('no_answer')),
    });
    expect(await run.running.result()).toEqual({ status: 'failed' });
    expect(run.argsOf('placeSupplierOrder')).toHaveLength(3);
    expect(askedOf(run).slice(-3)).toEqual(['reportReplenishmentFailure', 'cancelSupplierOrder', 'failReplenishment']);
    expect(run.argsOf('failReplenishment')[0]?.[1]).toMatchObject({ code: 'supplier_unavailable' });
  });

  test('whose undo finds the goods delivered receives them', async () => {
    const run = await replenish({
      placeSupplierOrder: always(() => fails('malformed')),
      cancelSupplierOrder: () => ({ id: 'order-9', status: 'delivered' }),
    });
    expect(await run.running.result()).toEqual({ status: 'completed' });
    expect(run.argsOf('recordPurchaseOrder')[0]?.[1]).toBe('order-9');
    expect(run.steps).not.toContain('failReplenishment');
  });

  test('that is never delivered and is cancelled calls its order off at the supplier first', async () => {
    const run = await replenish({ askDelivery: () => 'ordered' });
    await run.until('askDelivery', 2);
    await run.running.cancel();
    expect(await run.running.result()).toEqual({ status: 'failed' });
    expect(askedOf(run).slice(-2)).toEqual(['cancelSupplierOrder', 'failReplenishment']);
    expect(run.argsOf('failReplenishment')[0]?.slice(1)).toMatchObject([{ code: 'cancelled' }, 'cancelled']);
  });

  test('whose order cannot be called off is put before a person, and does not fail before it is', async () => {
    let isDown = true;
    const run = await replenish({
      askDelivery: () => 'ordered',
      cancelSupplierOrder: () => {
        if (isDown) throw fails('server_error');
        return null;
      },
    });
    await run.until('askDelivery');
    await run.running.cancel();
    await run.until('openReview');
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({
      kind: 'compensation_failed',
      detail: { compensation: 'cancel the order at the supplier', purchaseOrderId: 'po_1', supplierOrderId: 'order-1' },
    });
    expect(run.steps).not.toContain('failReplenishment');
    isDown = false;
    await run.decide('retry');
    expect(await run.running.result()).toEqual({ status: 'failed' });
    expect(askedOf(run).slice(-2)).toEqual(['closeReview', 'failReplenishment']);
  });
});
