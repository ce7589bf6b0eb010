import { describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';
import {
  booksAgree,
  byHand,
  goods,
  logOf,
  recall,
  receive,
  rowsOf,
  send,
  shipped,
  untilStatus,
  whereabouts,
} from './goods.js';

const shops = [sharedShop(0), sharedShop(1)] as const;
const [shop] = shops;

async function signal(id: string, name: string, ...payload: unknown[]): Promise<void> {
  await (await temporal()).workflow.getHandle(`transfer/${id}`).signal(name, ...payload);
}

describe('goods that are shipped', () => {
  test('have left the source, cannot be sold anywhere, and are not lost', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const { status, body } = await send(shop, { sku, quantity: 4, from, to, mode: 'shipped' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'in_transit', mode: 'shipped', quantity: 4, received: null, lost: null });
    const { body: stock } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
    expect(stock).toMatchObject({ onHand: 6, reserved: 0, available: 6, inTransit: 4, reservations: [] });
    expect(stock.locations).toEqual([{ location: 'main', onHand: 6, reserved: 0, available: 6 }]);
    const { body: there } = await shop.must(200, shop.get(`/api/inventory/${sku}?location=${to}`));
    expect(there).toMatchObject({ onHand: 0, available: 0, inTransit: 4, locations: [] });
    expect((await shop.order({ lines: [{ sku, quantity: 7 }] })).body).toMatchObject({ available: 6 });
    expect(await booksAgree(shop)).toBe(true);
  });

  test('appear in transit in the stock of that moment', async () => {
    const { sku, from, to } = await goods(shop, 5);
    const id = await shipped(shop, { sku, quantity: 2, from, to });
    const { body } = await shop.get(`/api/inventory/${sku}/movements?limit=1`);
    const { at } = body.items[0];
    await shop.must(200, receive(shop, id));
    const { body: then } = await shop.must(200, shop.get(`/api/inventory/${sku}?at=${at}`));
    expect(then).toMatchObject({ onHand: 3, inTransit: 2 });
    expect(await whereabouts(shop, sku)).toEqual({ main: 3, [to]: 2, transit: 0, held: 0 });
  });
});

describe('goods that arrive', () => {
  test('are at the destination, and the transfer is completed', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const { status, body } = await receive(shop, id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, status: 'completed', received: 4, lost: 0, reason: null });
    expect(await whereabouts(shop, sku)).toEqual({ main: 6, [to]: 4, transit: 0, held: 0 });
    expect(await rowsOf(shop, sku, id)).toEqual([
      'reserved main 0',
      'cancelled main 0',
      'transferred_out main -4',
      'transferred_in transit 4',
      'transferred_out transit -4',
      `transferred_in ${to} 4`,
    ]);
  });

  test('in smaller number than sent: the rest is booked as lost, with the reason', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const { status, body } = await receive(shop, id, { quantity: 3, reason: 'one crushed' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'completed', received: 3, lost: 1, reason: 'one crushed' });
    expect(await whereabouts(shop, sku)).toEqual({ main: 6, [to]: 3, transit: 0, held: 0 });
    expect((await rowsOf(shop, sku, id)).slice(-3)).toEqual([
      'transferred_out transit -3',
      `transferred_in ${to} 3`,
      'lost transit -1',
    ]);
    const { body: movements } = await shop.get(`/api/inventory/${sku}/movements`);
    const lost = movements.items.filter(({ kind }: { kind: string }) => kind === 'lost');
    expect(lost).toMatchObject([{ reference: id, reason: 'one crushed', onHandDelta: -1 }]);
    expect(await booksAgree(shop)).toBe(true);
  });

  test('not at all: everything is lost', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const { body } = await shop.must(200, receive(shop, id, { quantity: 0, reason: 'sunk' }));
    expect(body).toMatchObject({ status: 'completed', received: 0, lost: 4 });
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, transit: 0, held: 0 });
  });

  test('are received once, however often that is reported, and never in another quantity', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const first = await shop.must(200, receive(shop, id, { quantity: 3 }));
    const again = await shop.must(200, receive(shop, id, { quantity: 3 }));
    expect(again.body).toEqual(first.body);
    for (const other of [{}, { quantity: 4 }, { quantity: 2 }]) {
      const { status, body } = await receive(shop, id, other);
      expect([status, body.code, body.from, body.to, body.transferId]).toEqual([
        ...[409, 'invalid_state', 'completed', 'completed', id],
      ]);
    }
    expect(await whereabouts(shop, sku)).toEqual({ main: 6, [to]: 3, transit: 0, held: 0 });
  });

  test('twice at the same moment through two API processes are received once', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const answers = await Promise.all(shops.map((one) => receive(one, id)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 4, transit: 0, held: 0 });
  });

  test('are never more than were sent', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const tooMany = async () => {
      const { status, body } = await receive(shop, id, { quantity: 5 });
      expect([status, body.code, body.errors]).toEqual([
        422,
        'validation_failed',
        [{ pointer: '/quantity', code: 'too_big', detail: 'only 4 were sent' }],
      ]);
    };
    await tooMany();
    expect(await whereabouts(shop, sku)).toEqual({ main: 6, transit: 4, held: 0 });
    await shop.must(200, receive(shop, id));
    await tooMany();
  });

  test('are received after an early receive was refused: the refusal does not answer the next one', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const inTransit = { sku, location: 'transit', quantity: 1 };
    await byHand(inject('databaseUrl'), { kind: 'lose', ...inTransit });
    expect((await receive(shop, id)).body).toMatchObject({ status: 409, code: 'insufficient_stock', transferId: id });
    await byHand(inject('databaseUrl'), { kind: 'transfer_in', ...inTransit });
    expect((await shop.must(200, receive(shop, id))).body).toMatchObject({ status: 'completed', received: 4 });
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 4, transit: 0, held: 0 });
  });

  test.each([[-1], [1.5], ['4']])('in the quantity %j are refused', async (quantity) => {
    const { sku, from, to } = await goods(shop, 1);
    const id = await shipped(shop, { sku, quantity: 1, from, to });
    const { status, body } = await shop.post(`/api/transfers/${id}/receive`, { quantity });
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'validation_failed', '/quantity']);
  });
});

describe('goods that are called back', () => {
  test('return to the source', async () => {
    const { sku, from, to } = await goods(shop, 10);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    const { status, body } = await recall(shop, id, 'wrong truck');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'cancelled', reason: 'wrong truck', received: null, failure: null });
    expect(await whereabouts(shop, sku)).toEqual({ main: 10, transit: 0, held: 0 });
    expect((await shop.must(200, recall(shop, id, 'again'))).body.reason).toBe('wrong truck');
    const { status: late, body: refused } = await receive(shop, id);
    expect([late, refused.code, refused.from, refused.to]).toEqual([409, 'invalid_state', 'cancelled', 'completed']);
    expect(await booksAgree(shop)).toBe(true);
  });

  test('after they have arrived stay where they are', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    await shop.must(200, receive(shop, id));
    const { status, body } = await recall(shop, id);
    expect([status, body.code, body.from, body.to]).toEqual([409, 'invalid_state', 'completed', 'cancelled']);
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 4, transit: 0, held: 0 });
  });

  test('through the workflow return to the source', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    await (await temporal()).workflow.getHandle(`transfer/${id}`).cancel();
    expect(await untilStatus(shop, id, 'cancelled')).toMatchObject({ reason: 'the workflow was cancelled' });
    expect(await whereabouts(shop, sku)).toEqual({ main: 4, transit: 0, held: 0 });
  });

  test('at the moment of their arrival end up at one of the two locations', async () => {
    for (let round = 0; round < 10; round++) {
      const { sku, from, to } = await goods(shop, 1);
      const id = await shipped(shop, { sku, quantity: 1, from, to });
      const commands = [receive(shops[0], id), recall(shops[1], id)];
      const answers = await Promise.all(round % 2 ? commands : commands.toReversed());
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const { status } = (await shop.get(`/api/transfers/${id}`)).body;
      const arrived = status === 'completed';
      expect(await whereabouts(shop, sku)).toEqual(
        arrived ? { main: 0, [to]: 1, transit: 0, held: 0 } : { main: 1, transit: 0, held: 0 },
      );
    }
  });

  test('after an immediate transfer stay where they are, and cannot be received', async () => {
    const { sku, from, to } = await goods(shop, 1);
    const { id } = (await send(shop, { sku, quantity: 1, from, to })).body;
    expect((await recall(shop, id)).body).toMatchObject({ status: 409, code: 'invalid_state', from: 'completed' });
    expect((await receive(shop, id)).body).toMatchObject({ status: 409, code: 'invalid_state', from: 'completed' });
  });
});

describe('a signal from outside', () => {
  test('reports what arrived', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    await signal(id, 'receive', { quantity: 3, reason: 'counted by hand' });
    expect(await untilStatus(shop, id, 'completed')).toMatchObject({ received: 3, reason: 'counted by hand' });
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 3, transit: 0, held: 0 });
  });

  test('calls the goods back', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    await signal(id, 'cancel');
    await untilStatus(shop, id, 'cancelled');
    expect(await whereabouts(shop, sku)).toEqual({ main: 4, transit: 0, held: 0 });
  });

  test.concurrent.each([
    ['receive', 'all of it', 'not an object'],
    ['receive', { quantity: -1 }, 'quantity is not a whole number'],
    ['receive', { quantity: 5 }, 'only 4 were sent'],
    ['receive', { quantity: '4' }, 'quantity is not a whole number'],
    ['receive', { quantity: 4, hurry: true }, 'has a field other than quantity, reason'],
    ['receive', { reason: 7 }, 'reason is not a text'],
    ['cancel', ['now'], 'not an object'],
  ])('%s with payload %j is logged and ignored, and the goods stay in transit', async (name, payload, why) => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    await signal(id, name, payload);
    await eventually('the log line', async () => logOf(inject('home'), id).includes(`signal ${name} ignored: ${why}`));
    expect((await receive(shop, id, { quantity: 4 })).body).toMatchObject({ status: 'completed', received: 4 });
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 4, transit: 0, held: 0 });
  });
});

describe("a transfer's history in Temporal", () => {
  test('stays small, whatever happens in transit, and nothing depends on it', async () => {
    const { sku, from, to } = await goods(shop, 4);
    const id = await shipped(shop, { sku, quantity: 4, from, to });
    for (let count = 0; count < 10; count++) await receive(shop, id, { quantity: 5 });
    await shop.must(200, receive(shop, id, { quantity: 3 }));
    const client = await temporal();
    const handle = client.workflow.getHandle(`transfer/${id}`);
    await handle.result();
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThan(25);
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toEqual([]);

    await client.workflowService.deleteWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: `transfer/${id}` },
    });
    expect((await shop.must(200, receive(shop, id, { quantity: 3 }))).body).toMatchObject({ id, received: 3, lost: 1 });
    expect((await recall(shop, id)).body).toMatchObject({ code: 'invalid_state', from: 'completed', to: 'cancelled' });
  });
});
