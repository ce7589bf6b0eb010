/** The sweep resumes sagas whose workflow an operator terminated, and they end as usual. */
import { pino } from 'pino';
import { describe, expect, inject, test, vi } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { resumeLostSagas } from '../../../workers/upkeep/lost-sagas.js';
import { sweepScheduleId } from '../../../workflows/sweep/contract.js';
import { sharedShop } from '../../shared.js';
import { eventually, holdings } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { refundOrder, refundReview, sold } from '../refunds/sale.js';
import { byHand, goods, receive, shipped, untilStatus, whereabouts } from '../transfers/goods.js';
import { until } from './lacking.js';

const shop = sharedShop();
const databaseUrl = inject('databaseUrl');

async function terminate(workflowId: string): Promise<void> {
  await (await temporal()).workflow.getHandle(workflowId).terminate('by an operator');
}

/** Runs the sweep until the workflow runs again or has ended by itself. */
async function resumed(workflowId: string): Promise<void> {
  const { schedule, workflow } = await temporal();
  await eventually(`${workflowId} to be resumed`, async () => {
    await schedule.getHandle(sweepScheduleId).trigger();
    return (await workflow.getHandle(workflowId).describe()).status.name !== 'TERMINATED';
  });
}

describe('an order whose workflow was terminated', () => {
  test('says so instead of refusing a confirm, and can be confirmed once it is resumed', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    await terminate(`order/${id}`);
    const early = await shop.cancel(id);
    // The sweep may have resumed it already.
    if (early.status !== 200) {
      expect([early.status, early.body.code, early.body.orderId]).toEqual([503, 'unavailable', id]);
      expect(early.body.detail).toContain('the workflow of this order ended too early');
      expect(early.headers.get('retry-after')).not.toBeNull();
      await resumed(`order/${id}`);
      expect((await shop.must(200, shop.confirm(id, 'tok_visa'))).body.status).toBe('confirmed');
      expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 2000 });
    }
    expect((await shop.stock(sku)).reserved).toBe(0);
  });

  test('while it was being paid is paid once by the run that resumes it', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku, 2);
    const paying = shop.confirm(id, 'tok_slow_1500');
    await eventually('the payment to begin', async () => (await shop.statusOf(id)) === 'confirming');
    await terminate(`order/${id}`);
    expect([200, 503]).toContain((await paying).status);
    await resumed(`order/${id}`);
    await until(id, 'confirmed');
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 2000 });
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });

  test('while it waited for its supplier gets its goods once', async () => {
    const sku = await shop.supplied(1, { status: ['delayed', 'delayed', 'ok'] });
    const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 3 }] }));
    await terminate(`order/${body.id}`);
    await resumed(`order/${body.id}`);
    await until(body.id, 'reserved');
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 3, available: 0 });
    const reserved = (await shop.supplierCalls(sku)).filter(({ kind }) => kind === 'reserve');
    expect(new Set(reserved.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    await shop.must(200, shop.cancel(body.id));
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  test('is left alone by later sweeps once it is resumed', async () => {
    const workflowId = `order/${await shop.reserved(await shop.product(1))}`;
    await terminate(workflowId);
    await resumed(workflowId);
    const client = await temporal();
    const connection = connect(databaseUrl, { applicationName: 'lost-workflows', maxConnections: 1 });
    const reads = vi.spyOn(client.workflowService, 'getWorkflowExecutionHistory');
    const tools = { client, connection, log: pino({ level: 'silent' }), workflowTaskTimeoutSeconds: 10 };
    await eventually('a sweep that leaves it alone', async () => {
      reads.mockClear();
      await resumeLostSagas(tools, () => undefined);
      return reads.mock.calls.every(([request]) => request.execution?.workflowId !== workflowId);
    });
    reads.mockRestore();
    await connection.close();
  });

  test('again and again goes to review', async () => {
    const id = await shop.reserved(await shop.product(1));
    for (let run = 1; run <= 3; run++) {
      await terminate(`order/${id}`);
      if (run < 3) await resumed(`order/${id}`);
    }
    const { schedule } = await temporal();
    const review = await eventually('the review', async () => {
      await schedule.getHandle(sweepScheduleId).trigger();
      const { body } = await shop.get('/api/reviews?status=open&limit=200');
      return body.items.find(({ subject }: { subject: string }) => subject === `order/${id}`);
    });
    expect(review).toMatchObject({ kind: 'saga_lost', attempts: 3, detail: { endedAs: 'TERMINATED', runs: 3 } });
  });
});

test('a transfer whose workflow was terminated in transit can be received once it is resumed', async () => {
  const { sku, from, to } = await goods(shop, 5);
  const id = await shipped(shop, { sku, quantity: 4, from, to });
  await terminate(`transfer/${id}`);
  await resumed(`transfer/${id}`);
  const { body } = await shop.must(200, receive(shop, id, { quantity: 3, reason: 'one broke' }));
  expect(body).toMatchObject({ status: 'completed', received: 3, lost: 1 });
  expect(await whereabouts(shop, sku)).toEqual({ [from]: 1, [to]: 3, transit: 0, held: 0 });
});

test('a transfer whose workflow was terminated while it could not return its goods returns them once it is resumed', async () => {
  const { sku, from, to } = await goods(shop, 4);
  const id = await shipped(shop, { sku, quantity: 4, from, to });
  await byHand(databaseUrl, { kind: 'lose', sku, location: 'transit', quantity: 1 });
  await shop.must(202, shop.post(`/api/transfers/${id}/cancel`, { reason: 'wrong' }, { prefer: 'respond-async' }));
  await untilStatus(shop, id, 'manual_review');
  const cases = async (status: string): Promise<number> => {
    const { body } = await shop.must(200, shop.get(`/api/reviews?status=${status}&limit=200`));
    return body.items.filter(({ subject }: { subject: string }) => subject === `transfer/${id}`).length;
  };
  await terminate(`transfer/${id}`);
  await resumed(`transfer/${id}`);
  await eventually('the review of the lost run to be closed', async () => (await cases('resolved')) === 1);
  await byHand(databaseUrl, { kind: 'transfer_in', sku, location: 'transit', quantity: 1 });
  await untilStatus(shop, id, 'cancelled');
  expect(await whereabouts(shop, sku)).toEqual({ [from]: 4, transit: 0, held: 0 });
  await eventually('no review to be left open', async () => (await cases('open')) === 0);
});

test('a payment whose workflow was terminated is taken once by the run that resumes it', async () => {
  const request = { amount: 900, currency: 'EUR', cardToken: 'tok_slow_1500' };
  const { body } = await shop.must(202, shop.post('/api/payments', request, { prefer: 'respond-async' }));
  await terminate(`payment/${body.id}`);
  await resumed(`payment/${body.id}`);
  await eventually('the payment', async () => (await shop.get(`/api/payments/${body.id}`)).body.status === 'captured');
  expect(holdings(await shop.books(body.id))).toEqual({ open: 0, net: 900 });
});

test('a refund without an answer whose workflow was terminated has an open review again, which the sweep leaves open', async () => {
  const { orderId } = await sold(shop, 'tok_refund_down');
  const { body } = await refundOrder(shop, orderId, {}, { prefer: 'wait=1' });
  const first = await refundReview(shop, body.id);
  await terminate(`refund/${body.id}`);
  await resumed(`refund/${body.id}`);
  const second = await eventually('another review', async () => {
    const review = await refundReview(shop, body.id);
    return review.id !== first.id && review;
  });
  const { schedule, workflow } = await temporal();
  const sweeps = async () => (await schedule.getHandle(sweepScheduleId).describe()).info.numActionsTaken;
  const before = await sweeps();
  await eventually('three sweeps', async () => {
    await schedule.getHandle(sweepScheduleId).trigger();
    return (await sweeps()) >= before + 3;
  });
  await eventually('the last sweep to end', async () => {
    const running = await workflow.count("WorkflowType = 'sweep' AND ExecutionStatus = 'Running'");
    return running.count === 0;
  });
  expect((await shop.must(200, shop.get(`/api/reviews/${second.id}`))).body.status).toBe('open');
  await shop.must(200, shop.post(`/api/reviews/${second.id}/resolve`, { resolution: 'done', note: 'seen' }));
});
