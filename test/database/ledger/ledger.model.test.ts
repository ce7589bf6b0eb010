import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mainLocation, type StockCommand, type StockOperation, transitLocation } from '../../../domain/stock.js';
import { Books, otherLocation, verify } from '../books.js';
import { Model, withoutIds } from './model.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const sku = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('A', 'B') },
  { weight: 1, arbitrary: fc.constant('nowhere') },
);
const location = fc.oneof(
  { weight: 12, arbitrary: fc.constant(mainLocation) },
  { weight: 6, arbitrary: fc.constantFrom(otherLocation, transitLocation) },
  { weight: 1, arbitrary: fc.constant('no-such-place') },
);
const quantity = fc.integer({ min: 1, max: 12 });
/** 0: expires at once. */
const holdSeconds = fc.constantFrom(null, 3600, 3600, 0);
/** How many holds back; none before the first. */
const hold = fc.nat({ max: 3 });

const commandDraft = fc.oneof(
  fc.record({ kind: fc.constantFrom('receive', 'return', 'transfer_in'), sku, location, quantity }),
  fc.record({ kind: fc.constantFrom('consume', 'transfer_out', 'lose'), sku, location, quantity }),
  fc.record({ kind: fc.constant('adjust'), sku, location, delta: fc.integer({ min: -12, max: 12 }) }),
  fc.record({ kind: fc.constant('reserve'), sku, location, quantity, holdSeconds }),
  fc.record({ kind: fc.constant('reserve'), sku, location, quantity, holdSeconds }),
  fc.record({ kind: fc.constantFrom('confirm', 'expire', 'cancel'), hold }),
  fc.record({ kind: fc.constant('cancel'), hold, quantity }),
  fc.record({ kind: fc.constant('hold'), hold, holdSeconds }),
);
/** `again`: instead of these commands, repeats the key of the operation that many back. */
const operationDraft = fc.record({
  commands: fc.oneof(
    { weight: 3, arbitrary: fc.array(commandDraft, { minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.array(commandDraft, { minLength: 0, maxLength: 4, size: 'max' }) },
  ),
  again: fc.option(fc.nat({ max: 6 }), { freq: 6 }),
});
const batches = fc.array(fc.array(operationDraft, { minLength: 1, maxLength: 12, size: 'max' }), {
  minLength: 1,
  maxLength: 6,
  size: 'max',
});
const firstDelivery: readonly CommandDraft[] = (['A', 'B'] as const).map((each) => ({
  kind: 'receive',
  sku: each,
  location: mainLocation,
  quantity: 40,
}));

type CommandDraft = typeof commandDraft extends fc.Arbitrary<infer T> ? T : never;

/** Turns drafts into operations whose SKUs and ids are unique to this run. */
class Run {
  readonly keys: string[] = [];
  #holds = 0;
  readonly id = randomUUID();

  operation({ commands, again }: { commands: readonly CommandDraft[]; again: number | null }): StockOperation {
    const earlier = again === null ? undefined : this.keys.at(-1 - again);
    const key = earlier ?? `${this.id}/${this.keys.length}`;
    this.keys.push(key);
    return { key, actor: 'model', reference: 'run', commands: commands.map((each) => this.#command(each)) };
  }

  #command(each: CommandDraft): StockCommand {
    if ('hold' in each)
      return { ...each, reservationId: `rsv_${this.id}_${this.#holds - 1 - each.hold}` } as StockCommand;
    const own = { ...each, sku: `${each.sku}-${this.id}` };
    // Held for an order, so that no sweep releases them meanwhile: the tests share a database.
    const hold = () => ({ reservationId: `rsv_${this.id}_${this.#holds++}`, orderId: `ord_${this.id}` });
    return (each.kind === 'reserve' ? { ...own, ...hold() } : own) as StockCommand;
  }
}

test('the ledger in Postgres agrees with ten lines of arithmetic for random commands in random batches', async () => {
  let replays = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(batches, async (drawn) => {
      const run = new Run();
      const skus = ['A', 'B'].map((name) => `${name}-${run.id}`);
      await books.sql`insert into products (sku, name, price_amount, price_currency, created_by)
                      select sku, 'Model', 1, 'USD', 'model' from unnest(${skus}::text[]) sku`;
      const model = new Model(skus, [mainLocation, otherLocation]);

      for (const batch of [[{ commands: firstDelivery, again: null }], ...drawn]) {
        const operations = batch.map((each) => run.operation(each));
        const results = await books.apply(operations);
        expect(results.map(withoutIds)).toEqual(operations.map((operation) => model.apply(operation)));
        for (const result of results) {
          if (result.replayed) replays++;
          seen.add(result.outcome === 'refused' ? result.refusal.code : 'done');
        }
      }

      for (const each of skus) {
        const levels = (await books.levels(each)).filter((level) => level.onHand > 0 || level.reserved > 0);
        const expected = [...model.places].filter(([place, level]) => place.startsWith(each) && level.onHand > 0);
        expect(Object.fromEntries(levels.map(({ location: at, ...level }) => [`${each}/${at}`, level]))).toEqual(
          Object.fromEntries(expected),
        );
      }
      const rows = await books.sql<{ id: string; state: string }[]>`
        select id, quantity || ' ' || status as state from reservations where sku = any (${skus})`;
      expect(Object.fromEntries(rows.map((row) => [row.id, row.state]))).toEqual(
        Object.fromEntries([...model.holds].map(([id, held]) => [id, `${held.quantity} ${held.status}`])),
      );
      const [order] = await books.sql<{ disordered: number }[]>`
        select count(*) filter (where at <= before)::int as disordered
          from (select at, lag(at) over (partition by sku, location order by id) as before
                  from stock_ledger where sku = any (${skus})) rows`;
      expect(order?.disordered).toBe(0);
    }),
    { numRuns: 500 },
  );
  // A run that covers too little proves too little.
  expect(replays).toBeGreaterThan(50);
  expect([...seen].sort()).toEqual([
    'done',
    'insufficient_stock',
    'reservation_decided',
    'reservation_not_found',
    'unknown_location',
    'unknown_sku',
  ]);
  const differences = await verify(books.sql);
  expect(
    differences.filter((difference) => difference.sku.startsWith('A-') || difference.sku.startsWith('B-')),
  ).toEqual([]);
});
