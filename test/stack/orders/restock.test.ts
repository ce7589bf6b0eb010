import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, holdings } from '../../shop.js';
import { asked, five, reasons, received, until, waiting } from './lacking.js';

const shop = sharedShop();

describe.concurrent('an order whose missing stock the supplier has', () => {
  test("holds what is in stock, then receives and holds the rest under the supplier's reference", async () => {
    const sku = await shop.supplied(3);
    const { status, body } = await five(sku);
    expect([status, body.status, body.expiresAt]).toEqual([201, 'awaiting_restock', null]);
    const [reserve] = await shop.supplierCalls(sku);
    expect(reserve).toMatchObject({ kind: 'reserve', quantity: 2, ref: body.supplierReference });
    await until(body.id, 'reserved');
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 5, available: 0 });
    expect(await received(sku)).toMatchObject([{ onHandDelta: 2, reference: body.supplierReference }]);
    expect(await asked(sku)).toEqual(['reserve: accepted', 'reserve_status: ok']);
    expect(await shop.path(body.id)).toEqual(['pending', 'awaiting_restock', 'reserved']);
    const story = (await reasons(body.id)).join('\n');
    expect(story).toContain(`asking for 2 of ${sku}`);
    expect(story).toContain(`accepted by the supplier: ${body.supplierReference}`);
    expect(story).toContain(`2 of ${sku} received: ${body.supplierReference}`);
    const { body: inventory } = await shop.get(`/api/inventory/${sku}`);
    const { body: order } = await shop.get(`/api/orders/${body.id}`);
    expect(inventory.reservations).toMatchObject([{ id: order.lines[0].reservationId, quantity: 5, orderId: body.id }]);
    // Compared as instants, because only one is written with trailing zeros.
    expect(Date.parse(inventory.reservations[0].expiresAt)).toBe(Date.parse(order.expiresAt));
  });

  test('has holds without an expiry while it waits; their time starts when it is reserved', async () => {
    const sku = await shop.supplied(3, { status: ['delayed', 'ok'] });
    const other = await shop.product(2);
    const lines = [
      { sku, quantity: 5 },
      { sku: other, quantity: 2 },
    ];
    const { body } = await shop.must(201, shop.order({ lines }));
    for (const [held, quantity] of [
      [sku, 3],
      [other, 2],
    ] as const) {
      const { reservations } = (await shop.get(`/api/inventory/${held}`)).body;
      expect(reservations).toMatchObject([{ quantity, orderId: body.id, expiresAt: null }]);
    }
    await until(body.id, 'reserved');
    const { body: order } = await shop.get(`/api/orders/${body.id}`);
    const { items } = (await shop.get(`/api/orders/${body.id}/timeline`)).body;
    const reservedAt = Date.parse(items.find(({ to }: { to: string }) => to === 'reserved').at);
    expect(Math.abs(Date.parse(order.expiresAt) - reservedAt - 900_000)).toBeLessThan(60_000);
    for (const held of [sku, other]) {
      const [hold] = (await shop.get(`/api/inventory/${held}`)).body.reservations;
      expect(Date.parse(hold.expiresAt)).toBe(Date.parse(order.expiresAt));
    }
    await shop.must(200, shop.confirm(body.id, 'tok_visa'));
    expect(await shop.stock(other)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  });

  test('continues to payment by itself if the call asked for it', async () => {
    const sku = await shop.supplied(0);
    const id = await waiting(sku, { confirm: true, payment: { cardToken: 'tok_visa' } });
    await until(id, 'confirmed');
    expect(holdings(await shop.books(id))).toEqual({ open: 0, net: 5000 });
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
    expect(await shop.path(id)).toEqual(['pending', 'awaiting_restock', 'reserved', 'confirming', 'confirmed']);
  });

  test('whose card is then refused is reserved, and another card can be tried', async () => {
    const sku = await shop.supplied(0);
    const id = await waiting(sku, { confirm: true, payment: { cardToken: 'tok_declined' } });
    await eventually('the refusal', async () => (await shop.path(id)).length === 5);
    expect(await shop.statusOf(id)).toBe('reserved');
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 5, available: 0 });
    await shop.must(200, shop.confirm(id, 'tok_visa'));
  });

  test('asks for exactly the SKUs it lacks, and continues when all have arrived', async () => {
    const [first, second, there] = [
      await shop.supplied(1, { status: ['delayed', 'ok'] }),
      await shop.supplied(0),
      await shop.supplied(9),
    ];
    const lines = [first, there, second].map((sku) => ({ sku, quantity: 4 }));
    const { body } = await shop.must(201, shop.order({ lines }));
    const refs = await Promise.all([first, second].map(async (sku) => (await shop.supplierCalls(sku))[0]?.ref));
    expect(body.supplierReference).toBe(refs.join(', '));
    await eventually('the second to arrive', async () => (await shop.stock(second)).reserved === 4);
    expect([await shop.statusOf(body.id), await shop.stock(first)]).toEqual([
      'awaiting_restock',
      { onHand: 1, reserved: 1, available: 0 },
    ]);
    await until(body.id, 'reserved');
    expect(await shop.stock(first)).toEqual({ onHand: 4, reserved: 4, available: 0 });
    expect(await received(first)).toMatchObject([{ onHandDelta: 3, reference: refs[0] }]);
    expect(await received(second)).toMatchObject([{ onHandDelta: 4, reference: refs[1] }]);
    expect(await asked(there)).toEqual([]);
    expect(await shop.stock(there)).toEqual({ onHand: 9, reserved: 4, available: 5 });
  });

  test('with two lines of one SKU asks for what each lacks', async () => {
    const sku = await shop.supplied(5);
    const lines = [
      { sku, quantity: 3 },
      { sku, quantity: 4 },
      { sku, quantity: 1 },
    ];
    const { body } = await shop.must(201, shop.order({ lines }));
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 5, available: 0 });
    const wanted = (await shop.supplierCalls(sku)).filter(({ kind }) => kind === 'reserve');
    expect(wanted.map(({ quantity }) => quantity).sort()).toEqual([1, 2]);
    await until(body.id, 'reserved');
    expect(await shop.stock(sku)).toEqual({ onHand: 8, reserved: 8, available: 0 });
  });

  test('accepts two delays, and waits twice as long each time', async () => {
    const sku = await shop.supplied(0, { status: ['delayed', 'delayed', 'ok'] });
    const id = await waiting(sku);
    await until(id, 'reserved');
    const times = (await shop.supplierCalls(sku)).map(({ at }) => Date.parse(at));
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    // 0.4, 0.8 and 1.6 s. Clocks are read to the millisecond, and only a wait that is too short is wrong.
    expect(waits).toHaveLength(3);
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(400 * 2 ** index - 5);
    const delays = (await reasons(id)).filter((reason) => reason.includes('reports delay'));
    expect(delays).toHaveLength(2);
  });

  test('finds its reservation after a lost answer, and makes no second one', async () => {
    const sku = await shop.supplied(0, { reserve: 'lost' });
    const id = await waiting(sku);
    expect(await asked(sku)).toEqual(['reserve: lost', 'reserve_look_up: found']);
    await until(id, 'reserved');
    expect(await received(sku)).toHaveLength(1);
  });

  test('created twice with one Idempotency-Key is one order with one reservation at the supplier', async () => {
    const sku = await shop.supplied(0);
    const key = { 'idempotency-key': randomUUID() };
    const first = await shop.order({ lines: [{ sku, quantity: 5 }] }, key);
    const again = await shop.order({ lines: [{ sku, quantity: 5 }] }, key);
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    await until(first.body.id, 'reserved');
    expect((await asked(sku)).filter((call) => call.startsWith('reserve:'))).toHaveLength(1);
  });
});

describe.concurrent('an order whose supplier', () => {
  const cancelled = 'reserve_cancel: cancelled';
  const thrice = (outcome: string) =>
    [outcome, outcome, outcome].flatMap((each, n) =>
      n === 0 ? [`reserve: ${each}`] : ['reserve_look_up: unknown', `reserve: ${each}`],
    );

  test.each([
    ['refuses', { reserve: { accepted: false } }, 'supplier_refused', ['reserve: refused']],
    ['does not answer', { reserve: 'timeout' }, 'supplier_unavailable', [...thrice('timeout'), cancelled]],
    ['answers with an error', { reserve: 'error' }, 'supplier_unavailable', [...thrice('error'), cancelled]],
    ['answers nonsense', { reserve: 'malformed' }, 'supplier_unavailable', [...thrice('malformed'), cancelled]],
  ])('%s is refused as insufficient_stock, fails, and holds nothing', async (_what, script, code, calls) => {
    const sku = await shop.supplied(3, script);
    const { status, body } = await five(sku, { confirm: true, payment: { cardToken: 'tok_visa' } });
    expect([status, body.code, body.detail]).toEqual([
      409,
      'insufficient_stock',
      'insufficient stock: available=3, requested=5',
    ]);
    expect(body).toMatchObject({ sku, location: 'main', available: 3, requested: 5 });
    const { body: order } = await shop.must(200, shop.get(`/api/orders/${body.orderId}`));
    expect(order).toMatchObject({ status: 'failed', failure: { code }, supplierReference: null, payment: null });
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    expect(await asked(sku)).toEqual(calls);
    expect(await shop.books(body.orderId)).toEqual([]);
    expect((await reasons(body.orderId)).at(-1)).toBe(order.failure.detail);
  });

  const question = (told: string) => `reserve_status: ${told}`;
  test.each([
    ['cannot deliver', ['fail'], 'supplier_failed', [question('fail')]],
    ['delays a third time', ['delayed'], 'supplier_delayed', [...Array(3).fill(question('delayed')), cancelled]],
    ['answers nonsense', ['malformed'], 'supplier_unavailable', [...Array(3).fill(question('malformed')), cancelled]],
    ['sends an unknown status', ['OKAY'], 'supplier_unavailable', [...Array(3).fill(question('OKAY')), cancelled]],
    ['answers with errors', ['error'], 'supplier_unavailable', [...Array(3).fill(question('error')), cancelled]],
    ['does not answer', ['timeout'], 'supplier_unavailable', [...Array(3).fill(question('timeout')), cancelled]],
  ])('accepts and then %s fails, and releases its holds', async (_what, statuses, code, calls) => {
    const sku = await shop.supplied(3, { status: statuses });
    const id = await waiting(sku, { confirm: true, payment: { cardToken: 'tok_visa' } });
    await until(id, 'failed');
    expect(await asked(sku)).toEqual(['reserve: accepted', ...calls]);
    const { body } = await shop.get(`/api/orders/${id}`);
    expect(body.failure.code).toBe(code);
    expect(body.supplierReference).toMatch(/^sres_/);
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
    expect(await received(sku)).toEqual([]);
    expect(await shop.books(id)).toEqual([]);
  });

  test('answers two checks with errors keeps waiting, and a later ok counts', async () => {
    const sku = await shop.supplied(3, { status: ['error', 'malformed', 'ok'] });
    await until(await waiting(sku), 'reserved');
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 5, available: 0 });
  });

  test('refuses is cancelled at the other suppliers', async () => {
    const [good, bad] = [await shop.supplied(1), await shop.supplied(1, { reserve: { accepted: false } })];
    const { status, body } = await shop.order({ lines: [good, bad].map((sku) => ({ sku, quantity: 2 })) });
    expect([status, body.code]).toEqual([409, 'insufficient_stock']);
    expect((await asked(good)).at(-1)).toBe(cancelled);
    for (const sku of [good, bad]) expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 0, available: 1 });
  });

  test('fails leaves what another supplier delivered in stock, free for others', async () => {
    const [good, bad] = [await shop.supplied(0), await shop.supplied(0, { status: ['delayed', 'fail'] })];
    const { body } = await shop.must(201, shop.order({ lines: [good, bad].map((sku) => ({ sku, quantity: 2 })) }));
    await until(body.id, 'failed');
    expect(await shop.stock(good)).toEqual({ onHand: 2, reserved: 0, available: 2 });
    expect(await asked(good)).toEqual(['reserve: accepted', 'reserve_status: ok']);
    expect(await shop.stock(bad)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  });

  test('is missing or inactive is refused at once, and no supplier is asked', async () => {
    const [supplied, none] = [await shop.supplied(1), await shop.product(1)];
    const { status, body } = await shop.order({ lines: [supplied, none].map((sku) => ({ sku, quantity: 2 })) });
    expect([status, body.code]).toEqual([409, 'insufficient_stock']);
    const { body: order } = await shop.get(`/api/orders/${body.orderId}`);
    expect(order).toMatchObject({ status: 'failed', failure: { code: 'insufficient_stock' } });
    expect(await shop.path(body.orderId)).toEqual(['pending', 'failed']);
    expect(await asked(supplied)).toEqual([]);
    expect(await shop.stock(supplied)).toEqual({ onHand: 1, reserved: 0, available: 1 });

    const { body: product } = await shop.get(`/api/products/${supplied}`);
    await shop.must(200, shop.call('PATCH', `/api/suppliers/${product.supplierId}`, { active: false }));
    expect((await five(supplied)).status).toBe(409);
    expect(await asked(supplied)).toEqual([]);
  });
});
