import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrderMoney } from '../orders/money.js';
import { RefundBooks } from './refunds.fixture.js';
import { type PlannedRefund, planRefund, type RefundRequest, replanRefund } from './refunds.js';

const everything: RefundRequest = { amount: null, lines: [], charges: false, restock: false };
const skus = ['A', 'B'];

/** Lines of two SKUs, so that one SKU has several lines, at prices that their quantities rarely divide. */
const orderMoney: fc.Arbitrary<OrderMoney> = fc.record({
  lines: fc.array(
    fc
      .record({ quantity: fc.integer({ min: 1, max: 9 }), unitPrice: fc.nat(500), tax: fc.nat(60), off: fc.nat(100) })
      .map(({ quantity, unitPrice, tax, off }) => {
        const discount = Math.floor((quantity * unitPrice * off) / 100);
        return { quantity, unitPrice, discount, tax: Math.min(tax, quantity * unitPrice - discount) };
      }),
    { minLength: 1, maxLength: 4 },
  ),
  charges: fc.array(
    fc.nat(90).chain((amount) => fc.record({ amount: fc.constant(amount), tax: fc.nat(amount) })),
    { maxLength: 2 },
  ),
  taxesIncluded: fc.boolean(),
});

const booksOf = (money: OrderMoney) =>
  new RefundBooks(
    money,
    money.lines.map((_line, index) => ({ sku: skus[index % 2] ?? '', location: 'main' })),
  );

const anyRefund = fc.record({
  kind: fc.constant('refund' as const),
  amount: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, fc.integer({ min: 1, max: 1500 })),
  lines: fc.array(fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 6 }) }), {
    maxLength: 3,
  }),
  charges: fc.boolean(),
  restock: fc.boolean(),
});
/** Most refunds are of few units, so that shares are rounded often before a line is used up. */
const fewUnits = fc
  .record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 2 }) })
  .map((line) => ({ ...everything, kind: 'refund' as const, lines: [line] }));

/** What a client or the processor does next; `which` chooses among the refunds so far. */
const event = fc.oneof(
  { weight: 5, arbitrary: fewUnits },
  { weight: 2, arbitrary: anyRefund },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('fails' as const, 'is retried' as const), which: fc.nat() }),
  },
);

/** Applies the events, and calls `check` after each. */
function play(
  books: RefundBooks,
  events: readonly (typeof event extends fc.Arbitrary<infer E> ? E : never)[],
  check: () => void,
) {
  const failed: PlannedRefund[] = [];
  for (const [index, each] of events.entries()) {
    if (each.kind === 'refund') {
      const plan = planRefund(each, books.left);
      if (plan.kind === 'planned') books.standing.set(String(index), plan);
    } else if (each.kind === 'fails') {
      const [id, refund] = [...books.standing][each.which % Math.max(1, books.standing.size)] ?? [];
      if (id !== undefined && refund !== undefined) {
        books.standing.delete(id);
        failed.push(refund);
      }
    } else {
      const at = each.which % Math.max(1, failed.length);
      const refund = failed[at];
      const plan = refund && replanRefund(refund, books.left);
      if (plan?.kind === 'planned') {
        failed.splice(at, 1);
        books.standing.set(String(index), plan);
      }
    }
    check();
  }
}

/** Refunds each unit that is left by a call of its own. */
function unitByUnit(books: RefundBooks): void {
  for (;;) {
    const next = books.left.lines.find(({ units }) => units > 0);
    if (next === undefined) return;
    const plan = planRefund({ ...everything, lines: [{ sku: next.sku, quantity: 1 }] }, books.left);
    // A unit that costs nothing comes back as well.
    if (plan.kind !== 'planned') throw new Error(`a unit of line ${next.line} could not be refunded`);
    books.standing.set(`unit ${books.standing.size}`, plan);
  }
}

describe('the refunds of an order', () => {
  test('never return more than was paid, of the order, a line or its units, whatever fails and is retried between', () => {
    fc.assert(
      fc.property(orderMoney, fc.array(event, { maxLength: 25 }), (money, events) => {
        const books = booksOf(money);
        play(books, events, () => {
          expect(books.returned).toBeLessThanOrEqual(books.total);
          for (const [index, { quantity }] of money.lines.entries()) {
            const returned = books.returnedFor(index + 1);
            expect(returned.units).toBeLessThanOrEqual(quantity);
            expect(returned.money).toBeLessThanOrEqual(books.paidFor(index + 1));
            // The last unit takes all that is left.
            if (returned.units === quantity) expect(returned.money).toBe(books.paidFor(index + 1));
          }
          expect([...books.standing.values()].filter(({ charges }) => charges).length).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('return exactly what was paid once everything that is left is refunded', () => {
    fc.assert(
      fc.property(orderMoney, fc.array(event, { maxLength: 15 }), (money, events) => {
        const books = booksOf(money);
        play(books, events, () => undefined);
        const plan = planRefund(everything, books.left);
        if (plan.kind === 'planned') books.standing.set('all', plan);
        expect(books.returned).toBe(books.total);
        expect(planRefund(everything, books.left)).toEqual({ kind: 'over_refund' });
      }),
      { numRuns: 300 },
    );
  });

  test('unit by unit and then its charges return exactly what was paid, whatever failed between', () => {
    const byLine = event.filter((each) => each.kind !== 'refund' || (each.amount === null && each.lines.length > 0));
    fc.assert(
      fc.property(orderMoney, fc.array(byLine, { maxLength: 20 }), (money, events) => {
        const books = booksOf(money);
        play(books, events, () => undefined);
        unitByUnit(books);
        const { charges, chargesRefunded } = books.left;
        if (charges > 0 && !chargesRefunded) {
          const plan = planRefund({ ...everything, charges: true }, books.left);
          expect(plan).toMatchObject({ kind: 'planned', amount: charges });
          if (plan.kind === 'planned') books.standing.set('charges', plan);
        }
        expect(books.returned).toBe(books.total);
        for (const [index] of money.lines.entries())
          expect(books.returnedFor(index + 1).money).toBe(books.paidFor(index + 1));
      }),
      { numRuns: 300 },
    );
  });

  test('never return what disputes have withdrawn', () => {
    fc.assert(
      fc.property(orderMoney, fc.array(event, { maxLength: 10 }), fc.nat(1000), (money, events, thousandths) => {
        const books = booksOf(money);
        books.disputed = Math.floor((books.total * thousandths) / 1000);
        play(books, events, () => expect(books.returned + books.disputed).toBeLessThanOrEqual(books.total));
      }),
    );
  });
});

/** Three units for 1000, and a charge of 50. */
const three: OrderMoney = {
  lines: [{ quantity: 3, unitPrice: 333, discount: 0, tax: 1 }],
  charges: [{ amount: 45, tax: 5 }],
  taxesIncluded: false,
};
const one: RefundRequest = { ...everything, lines: [{ sku: 'A', quantity: 1 }] };
const two: RefundRequest = { ...everything, lines: [{ sku: 'A', quantity: 2 }] };

describe('a refund', () => {
  const planned = (books: RefundBooks, request: RefundRequest) => {
    const plan = planRefund(request, books.left);
    if (plan.kind !== 'planned') throw new Error(plan.kind);
    books.standing.set(String(books.standing.size), plan);
    return plan;
  };

  test('of charges is made once, with their taxes', () => {
    const books = booksOf(three);
    expect(planned(books, { ...everything, charges: true }).amount).toBe(50);
    expect(planRefund({ ...everything, charges: true }, books.left)).toEqual({ kind: 'over_refund' });
    expect(planned(books, everything)).toMatchObject({ amount: 1000, charges: false });
  });

  test('of an order that has no charges cannot be of its charges', () => {
    const books = booksOf({ ...three, charges: [] });
    expect(planRefund({ ...everything, charges: true }, books.left)).toEqual({ kind: 'over_refund' });
  });

  test('of an amount overrides the share of its units, and never the limit', () => {
    const books = booksOf(three);
    expect(planned(books, { ...one, amount: 100 })).toMatchObject({
      amount: 100,
      lines: [{ quantity: 1, amount: 334 }],
    });
    expect(planRefund({ ...two, amount: 951 }, books.left)).toEqual({ kind: 'over_refund' });
    expect(planned(books, { ...two, amount: 950 }).amount).toBe(950);
  });

  test('of one SKU takes its lines in their order, and names a SKU that the order does not have', () => {
    const line = { quantity: 2, unitPrice: 100, discount: 0, tax: 0 };
    const books = booksOf({ lines: [line, line, line], charges: [], taxesIncluded: false });
    expect(
      planned(books, {
        ...everything,
        lines: [
          { sku: 'A', quantity: 1 },
          { sku: 'A', quantity: 2 },
        ],
      }).lines,
    ).toEqual([
      { line: 1, sku: 'A', location: 'main', quantity: 2, amount: 200 },
      { line: 3, sku: 'A', location: 'main', quantity: 1, amount: 100 },
    ]);
    expect(planRefund({ ...everything, lines: [{ sku: 'C', quantity: 1 }] }, books.left)).toEqual({
      ...{ kind: 'unknown_line', sku: 'C' },
    });
    expect(planRefund({ ...everything, lines: [{ sku: 'A', quantity: 2 }] }, books.left)).toEqual({
      kind: 'over_refund',
    });
  });

  test('of an order that cost nothing gives its units back, once', () => {
    const books = booksOf({ ...three, lines: [{ quantity: 3, unitPrice: 0, discount: 0, tax: 0 }], charges: [] });
    expect(planned(books, everything)).toMatchObject({ amount: 0, lines: [{ quantity: 3, amount: 0 }] });
    expect(planRefund(everything, books.left)).toEqual({ kind: 'over_refund' });
  });
});

describe('a refund that failed and is tried again', () => {
  const first = planRefund(one, booksOf(three).left) as PlannedRefund;

  test('returns the share of what is left by now, so that the units still return exactly what was paid', () => {
    const books = booksOf(three);
    for (const id of ['second', 'third']) books.standing.set(id, planRefund(one, books.left) as PlannedRefund);
    expect(first.amount).toBe(334);
    expect(replanRefund(first, books.left)).toMatchObject({ kind: 'planned', amount: 333, lines: [{ amount: 333 }] });
  });

  test('returns the same where nothing was refunded meanwhile, or an amount was asked for', () => {
    expect(replanRefund(first, booksOf(three).left)).toMatchObject({ amount: 334 });
    expect(replanRefund({ ...first, amount: 20 }, booksOf(three).left)).toMatchObject({
      ...{ amount: 20, lines: [{ amount: 334 }] },
    });
  });

  test.each([
    ['its units', two, first],
    ['the charges', { ...everything, charges: true }, { amount: 50, lines: [], charges: true }],
    ['the money', { ...everything, amount: 1000 }, { amount: 51, lines: [], charges: false }],
  ])('is refused after another refund of %s', (_what, meanwhile, failed) => {
    const books = booksOf(three);
    books.standing.set('meanwhile', planRefund(meanwhile, books.left) as PlannedRefund);
    const wanted =
      failed === first ? { ...first, lines: first.lines.map((line) => ({ ...line, quantity: 2 })) } : failed;
    expect(replanRefund(wanted, books.left)).toEqual({ kind: 'over_refund' });
  });
});
