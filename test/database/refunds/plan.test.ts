/** The database decides what a refund returns as domain/payments/refunds.ts does, and all refunds together return what was paid. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paidForCharge, paidForLine } from '../../../domain/orders/money.js';
import { planRefund, type RefundableLine, type RefundLine } from '../../../domain/payments/refunds.js';
import { Books } from '../books.js';
import { everything, must, Sales } from './sale.js';

let books: Books;
let sales: Sales;
let skus: readonly string[];
beforeAll(async () => {
  books = await Books.open();
  sales = new Sales(books);
  skus = [await books.newSku(1_000_000), await books.newSku(1_000_000)];
});
afterAll(() => books.close());

/** The lines are of two SKUs, so that one SKU has several lines. */
const orderMoney = fc.record({
  lines: fc.array(
    fc.record({
      quantity: fc.integer({ min: 1, max: 7 }),
      unitPrice: fc.integer({ min: 0, max: 400 }),
      tax: fc.nat(50),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  charges: fc.array(fc.record({ amount: fc.nat(90), tax: fc.nat(9) }), { maxLength: 2 }),
  discounted: fc.boolean(),
});
const ask = fc.record({
  amount: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.integer({ min: 1, max: 900 })),
  lines: fc.array(fc.record({ sku: fc.nat(1), quantity: fc.integer({ min: 1, max: 5 }) }), { maxLength: 2 }),
  charges: fc.boolean(),
  ending: fc.constantFrom('settled', 'failed', 'failed late', 'pending'),
});

test('a refund returns the same in the database as in domain/, whatever was refunded and failed before', async () => {
  await fc.assert(
    fc.asyncProperty(orderMoney, fc.array(ask, { minLength: 1, maxLength: 7 }), async (given, asks) => {
      const lines = given.lines.map((line) => ({
        ...line,
        discount: given.discounted ? Math.floor(line.unitPrice / 3) : 0,
      }));
      const money = { lines, charges: given.charges, taxesIncluded: false };
      const skuOf = (line: number) => skus[line % 2] ?? '';
      const sale = await sales.order(
        lines.map((_line, index) => skuOf(index)),
        money,
      );
      const charges = given.charges.reduce((sum, charge) => sum + paidForCharge(charge, false), 0);
      const paid = lines.map((line) => paidForLine(line, false));
      const total = paid.reduce((sum, amount) => sum + amount, charges);
      const standing: { amount: number; lines: readonly RefundLine[]; charges: boolean }[] = [];

      for (const { ending, ...asked } of asks) {
        const request = {
          ...everything,
          ...asked,
          lines: asked.lines.map((line) => ({ ...line, sku: skuOf(line.sku) })),
        };
        const open: RefundableLine[] = lines.map((line, index) => {
          const returned = standing.flatMap((each) => each.lines.filter((one) => one.line === index + 1));
          const units = line.quantity - returned.reduce((sum, { quantity }) => sum + quantity, 0);
          const left = (paid[index] ?? 0) - returned.reduce((sum, { amount }) => sum + amount, 0);
          return { line: index + 1, sku: skuOf(index), location: 'main', units, money: left };
        });
        const left = total - standing.reduce((sum, { amount }) => sum + amount, 0);
        const chargesRefunded = standing.some((each) => each.charges);
        const plan = planRefund(request, { left, total, lines: open, charges, chargesRefunded });
        const { id, result } = await sales.begin({ orderId: sale.orderId }, request);
        if (plan.kind !== 'planned') {
          const code = plan.kind === 'over_refund' ? 'over_refund' : 'validation_failed';
          expect(result).toMatchObject({ outcome: 'refused', state: null, refusal: { code } });
          continue;
        }
        must(result);
        const { kind: _kind, ...planned } = plan;
        expect(await sales.refundRow(id)).toMatchObject(planned);
        if (ending === 'settled' || ending === 'failed late') await sales.settle(id);
        if (ending === 'failed' || ending === 'failed late') await sales.fail(id);
        else standing.push(planned);
      }
      const row = await sales.orderRow(sale.orderId);
      expect(row?.refunded + row?.reserved).toBe(standing.reduce((sum, { amount }) => sum + amount, 0));
    }),
    { numRuns: 60 },
  );
});

describe('a line', () => {
  test('refunded unit by unit returns exactly what was paid, discount and tax included, in the order of its remainder', async () => {
    const line = { quantity: 3, unitPrice: 334, discount: 3, tax: 1 };
    const { orderId } = await sales.order(skus, { lines: [line] });
    const amounts = [];
    for (let unit = 0; unit < 3; unit++)
      amounts.push((await sales.refunded({ orderId }, { lines: [{ sku: skus[0] ?? '', quantity: 1 }] })).amount);
    expect(amounts).toEqual([334, 333, 333]);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000 });
  });

  test('refunded unit by unit returns exactly what was paid, even if the refund of one unit fails in between', async () => {
    const { orderId } = await sales.order(skus, { lines: [{ quantity: 3, unitPrice: 333, discount: 0, tax: 1 }] });
    const one = { lines: [{ sku: skus[0] ?? '', quantity: 1 }] };
    const first = await sales.begin({ orderId }, one);
    await sales.refunded({ orderId }, one);
    await sales.fail(first.id);
    await sales.refunded({ orderId }, one);
    await sales.refunded({ orderId }, one);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1000, reserved: 0 });
  });

  test('has each unit refunded once: the next one is refused with what is available', async () => {
    const { orderId } = await sales.order(skus, {
      lines: [{ quantity: 2, unitPrice: 100, discount: 0, tax: 0 }],
      charges: [{ amount: 900, tax: 0 }],
    });
    const units = (quantity: number) => ({ lines: [{ sku: skus[0] ?? '', quantity }] });
    await sales.refunded({ orderId }, units(1));
    const { result } = await sales.begin({ orderId }, units(2));
    expect(result).toMatchObject({ refusal: { code: 'over_refund', extensions: { available: 1000, units: 1 } } });
    await sales.refunded({ orderId }, units(1));
  });

  test('that the order does not have is refused', async () => {
    const { orderId } = await sales.order(skus, { lines: [{ quantity: 2, unitPrice: 100, discount: 0, tax: 0 }] });
    const { result } = await sales.begin({ orderId }, { lines: [{ sku: skus[1] ?? '', quantity: 1 }] });
    expect(result).toMatchObject({ outcome: 'refused', state: null, refusal: { code: 'validation_failed' } });
  });
});

describe('the charges of an order', () => {
  test('are refunded with their taxes, once, and again if that refund fails', async () => {
    const { orderId } = await sales.order(skus, {
      lines: [{ quantity: 1, unitPrice: 100, discount: 0, tax: 0 }],
      charges: [
        { amount: 40, tax: 4 },
        { amount: 5, tax: 1 },
      ],
    });
    const refund = await sales.refunded({ orderId }, { charges: true });
    expect(refund.amount).toBe(50);
    expect((await sales.begin({ orderId }, { charges: true })).result).toMatchObject({
      refusal: { code: 'over_refund' },
    });
    await sales.fail(refund.id);
    expect((await sales.refunded({ orderId }, { charges: true })).amount).toBe(50);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'partially_refunded', refunded: 50, charges: true });
  });
});
