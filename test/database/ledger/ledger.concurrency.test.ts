import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../../db/postgres/client.js';
import { createLedger, type Ledger } from '../../../db/stock/ledger.js';
import type { StockOperation, StockResult } from '../../../domain/stock.js';
import { Books, newHoldId, operation, otherLocation } from '../books.js';

/** As many processes as API and workers together: separate connections. */
const processes = 4;

let books: Books;
let connections: Connection[];
let ledgers: Ledger[];
beforeAll(async () => {
  books = await Books.open();
  connections = Array.from({ length: processes }, () => books.another());
  ledgers = connections.map((connection) => createLedger(connection.sql));
});
afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await books.close();
});

/** All ask at once, spread over the processes. */
async function askAll(operations: readonly StockOperation[]): Promise<StockResult[]> {
  const results = await Promise.all(operations.map((each, index) => ledgers[index % processes]?.apply([each])));
  return results.flatMap((result) => result ?? []);
}

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

test('1,000 reservers of 100 units through four processes: 100 are served, 900 are refused, nothing is oversold', async () => {
  const sku = await books.newSku(100);
  const results = await askAll(
    times(1000, () =>
      operation([
        { kind: 'reserve', reservationId: newHoldId(), sku, location: 'main', quantity: 1, holdSeconds: 900 },
      ]),
    ),
  );
  const refused = results.filter((result) => result.outcome === 'refused');
  expect(results.length - refused.length).toBe(100);
  expect(refused).toHaveLength(900);
  for (const { refusal } of refused)
    expect(refusal).toEqual({
      code: 'insufficient_stock',
      command: 0,
      sku,
      location: 'main',
      available: 0,
      requested: 1,
    });
  expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 100, reserved: 100 }]);
  expect(await books.differences(sku)).toEqual([]);
});

test('batches over two SKUs in opposite order never deadlock', async () => {
  const skus = await Promise.all([books.newSku(100_000), books.newSku(100_000)]);
  const both = (order: readonly string[]) =>
    operation(order.map((sku) => ({ kind: 'consume', sku, location: 'main', quantity: 1 })));
  // Calls the function directly, so nothing retries after a deadlock.
  await Promise.all(
    connections.map(async (connection, index) => {
      const order = index % 2 === 0 ? skus : [...skus].reverse();
      for (let round = 0; round < 100; round++)
        await books.apply(
          times(3, () => both(order)),
          connection.sql,
        );
    }),
  );
  for (const sku of skus)
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 100_000 - processes * 300, reserved: 0 }]);
});

test('batches over the same holds in opposite order never deadlock', async () => {
  const sku = await books.newSku(1000);
  const holds = await Promise.all(times(12, () => books.hold(sku, 20)));
  await Promise.all(
    connections.map(async (connection, index) => {
      const order = index % 2 === 0 ? holds : [...holds].reverse();
      const partOfEach = () =>
        operation(order.map((reservationId) => ({ kind: 'cancel', reservationId, quantity: 1 }) as const));
      for (let round = 0; round < 4; round++) await books.apply([partOfEach()], connection.sql);
      for (let round = 0; round < 60; round++)
        await books.apply(
          [operation(order.map((reservationId) => ({ kind: 'hold', reservationId, holdSeconds: 60 + round })))],
          connection.sql,
        );
    }),
  );
  expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 1000, reserved: 12 * (20 - processes * 4) }]);
});

test('batches that create the same levels in opposite order never deadlock', async () => {
  for (let round = 0; round < 10; round++) {
    const skus = await Promise.all(times(8, () => books.newSku()));
    const deliver = (order: readonly string[]) =>
      operation(order.map((sku) => ({ kind: 'receive', sku, location: otherLocation, quantity: 1 })));
    await Promise.all(
      connections.map((connection, index) =>
        books.apply([deliver(index % 2 === 0 ? skus : [...skus].reverse())], connection.sql),
      ),
    );
    for (const sku of skus)
      expect(await books.levels(sku)).toEqual([{ location: otherLocation, onHand: processes, reserved: 0 }]);
  }
});

test('one key from many connections at once acts once, and every caller gets the same answer', async () => {
  for (let round = 0; round < 20; round++) {
    const sku = await books.newSku(100);
    const same = operation([{ kind: 'consume', sku, location: 'main', quantity: 1 }]);
    const results = await askAll(times(24, () => same));
    expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    expect(new Set(results.map((result) => (result.outcome === 'done' ? result.movements[0]?.id : null))).size).toBe(1);
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 99, reserved: 0 }]);
  }
});

test('one key from many connections at once is decided once even if there is no row to lock', async () => {
  for (let round = 0; round < 20; round++) {
    const same = operation([{ kind: 'confirm', reservationId: newHoldId() }]);
    const results = await askAll(times(24, () => same));
    expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    expect(new Set(results.map((result) => result.outcome))).toEqual(new Set(['refused']));
  }
});

test('concurrent callers share a transaction', async () => {
  const sku = await books.newSku(1000);
  const ledger = createLedger(books.sql);
  await Promise.all(
    times(300, () => ledger.apply([operation([{ kind: 'consume', sku, location: 'main', quantity: 1 }])])),
  );
  const [row] = await books.sql<{ transactions: number; rows: number }[]>`
    select count(distinct xmin::text)::int as transactions, count(*)::int as rows
      from stock_ledger where sku = ${sku} and kind = 'consumed'`;
  expect(row).toEqual({ transactions: 2, rows: 300 });
});

test('a malformed operation fails alone; its neighbours in the batch are done', async () => {
  const sku = await books.newSku(100);
  const taken = await books.hold(sku, 1);
  const take = () => operation([{ kind: 'consume', sku, location: 'main', quantity: 1 }]);
  const malformed = [
    operation([{ kind: 'consume', sku, location: 'main', quantity: 0.5 }]),
    operation([{ kind: 'receive', sku, location: 'main', quantity: 0 }]),
    operation([{ kind: 'reserve', reservationId: taken, sku, location: 'main', quantity: 1, holdSeconds: null }]),
  ];
  const ledger = createLedger(books.sql);
  const settled = await Promise.allSettled(
    [take(), ...malformed.flatMap((each) => [each, take()])].map((each) => ledger.apply([each])),
  );
  expect(settled.map((each) => each.status)).toEqual([
    'fulfilled',
    ...malformed.flatMap(() => ['rejected', 'fulfilled']),
  ]);
  expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 96, reserved: 1 }]);
  expect(await books.differences(sku)).toEqual([]);
});

test('connections cut in the middle lose nothing and do nothing twice', async () => {
  const sku = await books.newSku(100_000);
  const process = books.another(2);
  const ledger = createLedger(process.sql);
  let cuts = 0;
  let going = true;
  const untilAnswered = async (each: StockOperation): Promise<StockResult> => {
    for (;;) {
      try {
        const [result] = await ledger.apply([each]);
        if (result) return result;
      } catch {
        cuts++; // the outcome is unknown: repeat the call with its key
      }
    }
  };
  const callers = times(32, async () => {
    let done = 0;
    while (going) {
      const result = await untilAnswered(operation([{ kind: 'consume', sku, location: 'main', quantity: 1 }]));
      if (result.outcome === 'done') done++;
    }
    return done;
  });
  const [me] = await process.sql<{ name: string }[]>`select current_setting('application_name') as name`;
  for (let round = 0; round < 15; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
    await books.sql`select pg_terminate_backend(pid) from pg_stat_activity
                     where application_name = ${me?.name ?? ''} and pid <> pg_backend_pid()`;
  }
  going = false;
  const done = (await Promise.all(callers)).reduce((total, each) => total + each, 0);
  await process.close();
  expect(cuts).toBeGreaterThan(0);
  expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 100_000 - done, reserved: 0 }]);
  expect(await books.differences(sku)).toEqual([]);
});
