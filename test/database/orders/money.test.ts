/** The database adds an order's money up as domain/orders/money.ts does, and refuses what does not add up. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore, type OrderStore } from '../../../db/orders/store.js';
import type { OrderDetails } from '../../../domain/orders/details.js';
import { faultIn, type OrderMoney, totalsOf } from '../../../domain/orders/money.js';
import type { GivenOrderMoney } from '../../../domain/orders/steps.js';
import { Books } from '../books.js';
import { orderOpening, stepBy } from './opening.js';

let books: Books;
let store: OrderStore;
let sku: string;
beforeAll(async () => {
  books = await Books.open();
  store = createOrderStore(books.sql);
  sku = await books.newSku(1_000_000);
});
afterAll(() => books.close());

const noDetails: OrderDetails = {
  shippingAddress: null,
  billingAddress: null,
  externalReference: null,
  channel: null,
  metadata: {},
  tags: [],
  note: null,
};
const noCharges: GivenOrderMoney = { charges: [], taxesIncluded: false, expectedTotal: null };

/** Opens an order of these lines and charges, in USD. */
function opening(money: OrderMoney, more: Partial<GivenOrderMoney> = {}) {
  const opened = orderOpening(money.lines.map(({ quantity }) => ({ sku, quantity })));
  const lines = opened.lines.map((line, index) => {
    const { unitPrice = 0, discount = 0, tax = 0 } = money.lines[index] ?? {};
    return { ...line, unitPrice: { amount: unitPrice, currency: 'USD' as const }, discount, tax };
  });
  const charges = money.charges.map((charge) => ({ kind: 'shipping' as const, name: 'Post', ...charge }));
  return { ...opened, lines, money: { ...noCharges, charges, taxesIncluded: money.taxesIncluded, ...more } };
}

async function sumsOf(orderId: string) {
  const [row] = await books.sql`
    select subtotal_amount::int as subtotal, discount_amount::int as "discountTotal", tax_amount::int as "taxTotal",
           charge_amount::int as "chargeTotal", total_amount::int as total from orders where id = ${orderId}`;
  return row;
}

const smallLine = fc.record({
  quantity: fc.integer({ min: 1, max: 9 }),
  unitPrice: fc.integer({ min: 0, max: 500 }),
  discount: fc.integer({ min: 0, max: 600 }),
  tax: fc.integer({ min: 0, max: 600 }),
});
const smallCharge = fc.record({ amount: fc.integer({ min: 0, max: 500 }), tax: fc.integer({ min: 0, max: 90 }) });

describe('the money of an order', () => {
  test('is the same in the database as in domain/, and what does not add up is refused', async () => {
    const money = fc.record({
      lines: fc.array(smallLine, { minLength: 1, maxLength: 4 }),
      charges: fc.array(smallCharge, { maxLength: 3 }),
      taxesIncluded: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(money, async (given) => {
        const step = opening(given);
        const opened = await store.apply(step);
        const fault = faultIn(given);
        // The API refuses a charge that includes more tax than it is; the database is given only charges that passed.
        if (fault?.kind === 'charge_tax_too_large') return;
        expect(opened.outcome).toBe(fault === null ? 'done' : 'refused');
        expect(await sumsOf(step.orderId)).toEqual(fault === null ? totalsOf(given) : undefined);
      }),
      { numRuns: 60 },
    );
  });

  test('takes the catalogue price where a line has none of its own, and grows with an added line', async () => {
    const opened = orderOpening([{ sku, quantity: 2 }]);
    await store.apply({
      ...opened,
      money: { ...noCharges, charges: [{ kind: 'fee', name: 'Fee', amount: 30, tax: 3 }] },
    });
    const line = {
      sku,
      quantity: 1,
      location: 'main',
      reservationId: `rsv_${randomUUID()}`,
      unitPrice: { amount: 50, currency: 'USD' as const },
      discount: 10,
      tax: 4,
      name: 'Gift',
    };
    await store.apply({ step: 'add_line', ...stepBy(opened.orderId, 'add'), line, holdSeconds: 900 });
    expect(await sumsOf(opened.orderId)).toEqual({
      subtotal: 250,
      discountTotal: 10,
      taxTotal: 7,
      chargeTotal: 30,
      total: 277,
    });
    expect(
      await books.sql`select name, discount::int, tax::int from order_lines
                            where order_id = ${opened.orderId} order by line`,
    ).toEqual([
      { name: null, discount: 0, tax: 0 },
      { name: 'Gift', discount: 10, tax: 4 },
    ]);
  });

  test('that is not what the client expects is refused, and nothing is held', async () => {
    const own = await books.newSku(5);
    const opened = orderOpening([{ sku: own, quantity: 2 }]);
    const expected = (amount: number) => ({ ...noCharges, expectedTotal: { amount, currency: 'USD' as const } });
    expect(await store.apply({ ...opened, money: expected(199) })).toMatchObject({
      outcome: 'refused',
      state: null,
      refusal: {
        code: 'total_mismatch',
        extensions: { expected: { amount: 199 }, computed: { amount: 200, currency: 'USD' } },
      },
    });
    expect(await books.levels(own)).toMatchObject([{ onHand: 5, reserved: 0 }]);
    const again = orderOpening([{ sku: own, quantity: 2 }]);
    expect(await store.apply({ ...again, money: expected(200) })).toMatchObject({ outcome: 'done' });
  });
});

describe('an external reference', () => {
  const named = (externalReference: string, channel: string | null = null) => ({
    ...orderOpening([{ sku, quantity: 1 }]),
    details: { ...noDetails, externalReference, channel, tags: ['gift', 'blue'] },
  });

  test('belongs to one order, however many ask at once', async () => {
    const reference = randomUUID();
    const steps = Array.from({ length: 20 }, () => named(reference));
    const results = await Promise.all(steps.map((step) => store.apply(step)));
    const done = steps.filter((_step, index) => results[index]?.outcome === 'done');
    expect(done).toHaveLength(1);
    const [winner] = done;
    for (const result of results)
      if (result.outcome === 'refused')
        expect(result.refusal).toMatchObject({ code: 'already_exists', extensions: { orderId: winner?.orderId } });
    expect(await books.sql`select tag from order_tags where order_id = ${winner?.orderId ?? ''} order by tag`).toEqual([
      { tag: 'blue' },
      { tag: 'gift' },
    ]);
  });

  test('may be used once by each channel', async () => {
    const reference = randomUUID();
    for (const channel of [null, 'shop', 'market'])
      expect(await store.apply(named(reference, channel))).toMatchObject({ outcome: 'done' });
    expect(await store.apply(named(reference, 'shop'))).toMatchObject({ refusal: { code: 'already_exists' } });
  });

  test('is free again after an order that failed', async () => {
    const reference = randomUUID();
    const scarce = await books.newSku(1);
    const lacking = { ...named(reference), lines: orderOpening([{ sku: scarce, quantity: 2 }]).lines };
    expect(await store.apply(lacking)).toMatchObject({ state: { status: 'failed' } });
    expect(await store.apply(named(reference))).toMatchObject({ outcome: 'done' });
  });
});
