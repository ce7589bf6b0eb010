/** The database decides what a refund returns as domain/payments/refunds.ts does, and all refunds together return what was paid. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrderMoney } from '../../../domain/orders/money.js';
import { RefundBooks } from '../../../domain/payments/refunds.fixture.js';
import { type PlannedRefund, planRefund, type RefundPlan, replanRefund } from '../../../domain/payments/refunds.js';
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
const orderMoney: fc.Arbitrary<OrderMoney> = fc
  .record({
    lines: fc.array(
      fc.record({
        quantity: fc.integer({ min: 1, max: 7 }),
        unitPrice: fc.nat(400),
        tax: fc.nat(50),
        off: fc.nat(100),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    charges: fc.array(fc.record({ amount: fc.nat(90), tax: fc.nat(9) }), { maxLength: 2 }),
    taxesIncluded: fc.boolean(),
  })
  .map(({ lines, charges, taxesIncluded }) => {
    // An included tax is at most the amount that contains it.
    const within = (tax: number, paid: number) => (taxesIncluded ? Math.min(tax, paid) : tax);
    return {
      lines: lines.map(({ off, tax, ...line }) => {
        const subtotal = line.quantity * line.unitPrice;
        const discount = Math.floor((subtotal * off) / 100);
        return { ...line, discount, tax: within(tax, subtotal - discount) };
      }),
      charges: charges.map(({ amount, tax }) => ({ amount, tax: within(tax, amount) })),
      taxesIncluded,
    };
  });
const ask = fc.record({
  amount: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.integer({ min: 1, max: 900 })),
  lines: fc.array(fc.record({ sku: fc.nat(1), quantity: fc.integer({ min: 1, max: 5 }) }), { maxLength: 2 }),
  charges: fc.boolean(),
  ending: fc.constantFrom('settled', 'failed', 'failed late', 'pending'),
  /** An earlier refund that failed is tried again first. */
  retries: fc.boolean(),
});
const disputedPercent = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(100));

test('a refund returns the same in the database as in domain/, whatever was refunded, failed, was retried or is disputed', async () => {
  await fc.assert(
    fc.asyncProperty(
      orderMoney,
      fc.array(ask, { minLength: 1, maxLength: 7 }),
      disputedPercent,
      async (money, asks, percent) => {
        const skuOf = (index: number) => skus[index % 2] ?? '';
        const sold = money.lines.map((_line, index) => ({ sku: skuOf(index), location: 'main' }));
        const expected = new RefundBooks(money, sold);
        const { orderId, paymentId } = await sales.order(
          sold.map(({ sku }) => sku),
          money,
        );
        if (paymentId !== null) expected.disputed = Math.floor((expected.total * percent) / 100);
        const dispute = () => books.sql`update payments set disputed = ${expected.disputed} where id = ${paymentId}`;
        const failed: { readonly id: string; readonly attempts: number; readonly planned: PlannedRefund }[] = [];

        for (const { ending, retries, ...asked } of asks) {
          const [again] = failed;
          await dispute();
          if (retries && again !== undefined) {
            const plan = replanRefund(again.planned, expected.left);
            const result = await sales.retry(again.id, again.attempts);
            if (plan.kind !== 'planned') expect(result).toMatchObject({ refusal: { code: 'over_refund' } });
            else {
              must(result);
              failed.shift();
              await stands(again.id, plan);
            }
          }
          const request = {
            ...everything,
            ...asked,
            lines: asked.lines.map((line) => ({ ...line, sku: skuOf(line.sku) })),
          };
          const plan = planRefund(request, expected.left);
          await dispute();
          const { id, result } = await sales.begin({ orderId }, request);
          if (plan.kind !== 'planned') {
            const code = plan.kind === 'over_refund' ? 'over_refund' : 'validation_failed';
            expect(result).toMatchObject({ outcome: 'refused', state: null, refusal: { code } });
            continue;
          }
          must(result);
          await stands(id, plan);
          if (ending === 'settled' || ending === 'failed late') await sales.settle(id);
          if (ending === 'failed' || ending === 'failed late') {
            const { state } = must(await sales.fail(id));
            const planned = expected.standing.get(id);
            expected.standing.delete(id);
            if (planned !== undefined) failed.push({ id, attempts: state?.attempts ?? 0, planned });
          }
        }
        const row = await sales.orderRow(orderId);
        expect(row?.refunded + row?.reserved).toBe(expected.returned);

        /** The refund has this row now. A refund of nothing has no processor. */
        async function stands(id: string, { kind: _kind, ...planned }: Extract<RefundPlan, { kind: 'planned' }>) {
          const gateway = planned.amount > 0 && paymentId !== null ? 'sandbox' : null;
          expect(await sales.refundRow(id)).toMatchObject({ ...planned, gateway });
          expected.standing.set(id, planned);
        }
      },
    ),
    { numRuns: 80 },
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

  test('refunded unit by unit returns exactly what was paid, even if a refund that failed is retried behind the others', async () => {
    const { orderId } = await sales.order(skus, {
      lines: [{ quantity: 3, unitPrice: 333, discount: 0, tax: 1 }],
      charges: [{ amount: 50, tax: 0 }],
    });
    const one = { lines: [{ sku: skus[0] ?? '', quantity: 1 }] };
    const first = await sales.begin({ orderId }, one);
    expect(must(first.result).state.amount).toBe(334);
    await sales.fail(first.id);
    await sales.refunded({ orderId }, one);
    await sales.refunded({ orderId }, one);
    expect(must(await sales.retry(first.id, 1)).state.amount).toBe(333);
    await sales.settle(first.id, 1);
    expect((await sales.refunded({ orderId }, { charges: true })).amount).toBe(50);
    expect(await sales.orderRow(orderId)).toMatchObject({ status: 'refunded', refunded: 1050, reserved: 0 });
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
