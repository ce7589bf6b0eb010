/**
 * Crowds: far more requests at once than the server takes updates of one workflow (10). Each of them gets its answer, none
 * a 5xx, and the history that they have made can be replayed.
 */
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { type Answer, eventually, holdings } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { Supply } from '../replenishment/supply.js';
import { goods, recall, receive, shipped, whereabouts } from '../transfers/goods.js';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});

const size = 40;
const shops = [sharedShop(0), sharedShop(1)] as const;
const [shop] = shops;

/** All ask at once, half through each API process. Returns how often each answer was given. */
async function crowd(ask: (through: typeof shop, n: number) => Promise<Answer>): Promise<Record<string, number>> {
  const asking = Array.from({ length: size }, (_, n) => ask(n % 2 === 0 ? shops[0] : shops[1], n));
  const tally: Record<string, number> = {};
  for (const { status, body } of await Promise.all(asking)) {
    const answer = `${status} ${body.code ?? body.status}`;
    tally[answer] = (tally[answer] ?? 0) + 1;
  }
  return tally;
}

const addLine = (through: typeof shop, id: string, sku: string) =>
  through.post(`/api/orders/${id}/lines`, { sku, quantity: 1 }, { prefer: 'wait=30' });

/** Replays the history so far. Rejects if today's workflow would have done something else. */
async function replay(workflowId: string): Promise<void> {
  const history = await (await temporal()).workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: { codePath: inject('bundlePath') } }, history, workflowId);
}

describe(`${size} requests at once`, () => {
  test('to confirm a reserved order all get it confirmed, and it is paid once', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 2);
    expect(await crowd((through) => through.confirm(id, 'tok_visa'))).toEqual({ '200 confirmed': size });
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 2000 });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    await replay(`order/${id}`);
  });

  test('to cancel a reserved order all get it cancelled', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 2);
    expect(await crowd((through) => through.cancel(id))).toEqual({ '200 cancelled': size });
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 0, available: 5 });
  });

  test('to add a line each add one, on a draft and on a reserved order', async () => {
    const sku = await shop.product(100);
    const { body } = await shop.must(201, shop.order({ lines: [] }));
    expect(await crowd((through) => addLine(through, body.id, sku))).toEqual({ '201 reserved': size });
    expect((await shop.get(`/api/orders/${body.id}`)).body.lines).toHaveLength(size);
    expect((await shop.stock(sku)).reserved).toBe(size);
    await replay(`order/${body.id}`);
  });

  test('of every kind on an order that is being paid leave it confirmed or cancelled, and nothing open', async () => {
    const sku = await shop.product(100);
    const id = await shop.reserved(sku);
    const paying = shop.confirm(id, 'tok_slow_600');
    await eventually('the payment to begin', async () => (await shop.statusOf(id)) === 'confirming');
    const answers = await crowd((through, n) => {
      if (n % 3 === 0) return through.confirm(id, 'tok_slow_600');
      return n % 3 === 1 ? through.cancel(id) : addLine(through, id, sku);
    });
    expect(Object.keys(answers).filter((answer) => !/^(200|409) /.test(answer))).toEqual([]);
    await paying;
    const status = await shop.statusOf(id);
    expect(['confirmed', 'cancelled']).toContain(status);
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: status === 'confirmed' ? 1000 : 0 });
    expect((await shop.stock(sku)).reserved).toBe(0);
    await replay(`order/${id}`);
  });

  test('to confirm an order that awaits restock are refused for its state, and it keeps waiting', async () => {
    const sku = await shop.supplied(0, { status: ['delayed', 'delayed', 'ok'] });
    const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 2 }] }));
    const answers = await crowd((through) => through.confirm(body.id, 'tok_visa'));
    // The goods may arrive while the last of them ask.
    expect(Object.keys(answers).filter((answer) => !/^(409 invalid_order_state|200 confirmed)$/.test(answer))).toEqual(
      [],
    );
    await eventually('the goods', async () => ['reserved', 'confirmed'].includes(await shop.statusOf(body.id)));
    await replay(`order/${body.id}`);
  });

  test('to add lines while suppliers answer and goods arrive leave a history that can be replayed', async () => {
    const [sku, other, third] = [
      await shop.supplied(0, { status: ['delayed', 'ok'] }),
      await shop.supplied(0, { status: ['ok'] }),
      await shop.supplied(0, { status: ['ok'] }),
    ];
    const lines = [sku, other, third].map((each) => ({ sku: each, quantity: 2 }));
    const { body } = await shop.must(201, shop.order({ lines }));
    const answers = await crowd((through) => addLine(through, body.id, sku));
    expect(Object.keys(answers).filter((answer) => !/^409 in/.test(answer))).toEqual([]);
    await eventually('the goods', async () => (await shop.statusOf(body.id)) === 'reserved');
    await replay(`order/${body.id}`);
    expect(await crowd((through) => through.cancel(body.id))).toEqual({ '200 cancelled': size });
    await replay(`order/${body.id}`);
  });

  test('to cancel or confirm an order that awaits restock cancel it at the supplier', async () => {
    const sku = await shop.supplied(0, { status: ['delayed'] });
    const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 2 }] }));
    expect(
      await crowd((through, n) => (n % 2 ? through.cancel(body.id) : through.confirm(body.id, 'tok_visa'))),
    ).toEqual({
      '200 cancelled': size / 2,
      '409 invalid_order_state': size / 2,
    });
    expect((await shop.supplierCalls(sku)).at(-1)).toMatchObject({ kind: 'reserve_cancel', outcome: 'cancelled' });
    await replay(`order/${body.id}`);
  });

  test('to receive or call back a transfer end it once, as one of the two', async () => {
    const { sku, from, to } = await goods(shop, 8);
    const id = await shipped(shop, { sku, quantity: 5, from, to });
    const answers = await crowd((through, n) => (n % 2 ? receive(through, id) : recall(through, id)));
    const { status } = (await shop.get(`/api/transfers/${id}`)).body;
    expect(answers).toEqual({ [`200 ${status}`]: size / 2, '409 invalid_state': size / 2 });
    const there = status === 'completed' ? 5 : 0;
    expect(await whereabouts(shop, sku)).toMatchObject({ [from]: 8 - there, transit: 0, held: 0 });
    await replay(`transfer/${id}`);
  });

  test('for a replenishment are all answered with the same one', async () => {
    const supply = new Supply(shop, inject('sandboxUrl'));
    const sku = await supply.product({}, { delivery: ['ordered', 'ordered', 'shipped', 'delivered'] });
    const ids = new Set<string>();
    const answers = await crowd(async (through) => {
      const answer = await through.post('/api/replenishments', { sku }, { prefer: 'wait=30' });
      ids.add(answer.body.id);
      return answer;
    });
    expect(answers).toEqual({ '202 running': size });
    expect(ids.size).toBe(1);
    expect(await supply.calls(sku, 'order')).toHaveLength(1);
  });
});

describe('a request that waits while an operator cancels the workflow', () => {
  test("is answered with the order's end, not with an error", async () => {
    const sku = await shop.supplied(0, { status: ['delayed'], cancel: 'error' });
    const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 1 }] }));
    const handle = (await temporal()).workflow.getHandle(`order/${body.id}`);
    const before = shop.cancel(body.id, 'before');
    await eventually('the undo to fail', async () =>
      (await shop.supplierCalls(sku)).some(({ kind, outcome }) => kind === 'reserve_cancel' && outcome !== 'cancelled'),
    );
    await handle.cancel();
    const after = shop.cancel(body.id, 'after');
    await eventually('the cancellation to be seen', async () => {
      const { events } = await handle.fetchHistory();
      return events?.some(({ workflowExecutionCancelRequestedEventAttributes: asked }) => asked != null);
    });
    await shop.script(sku, {});
    for (const { status, body: order } of await Promise.all([before, after]))
      expect([status, order.status]).toEqual([200, 'cancelled']);
    await replay(`order/${body.id}`);
  });
});
