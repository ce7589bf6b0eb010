/** How Postgres finds a product's open holds, however many decided ones there are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { inventoryNow, listInventory, listOpenHolds } from '../../../db/stock/inventory.js';
import type { StockCommand } from '../../../domain/stock.js';
import { Books, newHoldId, operation, otherLocation } from '../books.js';

const asked: string[] = [];
let books: Books;
let connection: Connection;
beforeAll(async () => {
  books = await Books.open();
  connection = connect(books.url, {
    applicationName: 'holds',
    maxConnections: 1,
    onQuery: (query) => asked.push(query),
  });
});
afterAll(async () => {
  await connection.close();
  await books.close();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

/** The generic plan of the last query. */
async function planned(): Promise<Plan[]> {
  const query = asked.findLast((text) => text.includes('reservations'));
  return books.sql.begin(async (sql) => {
    await sql`set local enable_seqscan = off`; // a young table may be read whole
    const [row] = await sql.unsafe<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
      `explain (generic_plan, format json) ${query}`,
    );
    return (row?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodes(Plan));
  });
}

const cursor = { at: '2026-11-01T00:00:00.000000Z', id: 'rsv_1' };
test.each<[string, () => Promise<unknown>]>([
  ['with a product', () => inventoryNow(connection.sql, 'x', null)],
  ['with a product at a location', () => inventoryNow(connection.sql, 'x', 'main')],
  ['with every product of a page', () => listInventory(connection.sql, { limit: 200, cursor })],
  ['in a page', () => listOpenHolds(connection.sql, { sku: 'x', location: null, limit: 5, cursor })],
])(
  '%s: the newest open holds of a level are found by their index alone, and no others are read',
  async (_where, ask) => {
    await ask();
    const plans = await planned();
    const indexOf = (plan: Plan) => (plan['Relation Name'] === 'reservations' ? plan['Index Name'] : undefined);
    const reads = plans.filter((node) => indexOf(node) !== undefined);
    const open = reads.filter((node) => indexOf(node) === 'reservations_open_newest');
    expect(open.length).toBeGreaterThan(0);
    for (const read of open) {
      expect(read['Node Type']).toMatch(/^Index (Only )?Scan$/);
      expect(read['Index Cond']).toContain('location');
    }
    // Those of each level come in the order in which they are shown: no more are read than that.
    const limited = plans.filter((node) => node['Node Type'] === 'Limit').flatMap(({ Plans }) => Plans ?? []);
    expect(limited.filter((node) => indexOf(node) === 'reservations_open_newest')).toHaveLength(open.length);
    // Besides, those alone of the same level that have expired and wait for the sweep.
    for (const read of reads.filter((node) => !open.includes(node))) {
      expect(read).toMatchObject({ 'Index Name': 'reservations_due_of_level' });
      expect(read['Index Cond']).toMatch(/sku = .*location = .*expires_at.* <= now/);
    }
  },
);

test('a hold that has expired is not counted, before the sweep and after it', async () => {
  const sku = await books.newSku(10);
  await books.hold(sku, 1);
  await books.hold(sku, 1, 900);
  const expired = await books.hold(sku, 2, 0);
  await books.do(
    { kind: 'receive', sku, location: otherLocation, quantity: 5 },
    { kind: 'reserve', reservationId: newHoldId(), sku, location: otherLocation, quantity: 1, holdSeconds: null },
  );
  const counts = async () => ({
    all: (await inventoryNow(books.sql, sku, null))?.reservationCount,
    main: (await inventoryNow(books.sql, sku, 'main'))?.reservationCount,
    listed: (await listInventory(books.sql, { limit: 200, cursor: null })).items.find((item) => item.sku === sku)
      ?.reservationCount,
  });
  expect(await counts()).toEqual({ all: 3, main: 2, listed: 3 });
  await books.do({ kind: 'expire', reservationId: expired });
  expect(await counts()).toEqual({ all: 3, main: 2, listed: 3 });
});

test('the count is the number of holds, while many open, settle, release and expire them at once', async () => {
  const sku = await books.newSku(500);
  const others = Array.from({ length: 4 }, () => books.another());
  let turn = 0;
  // Each call is a transaction; each hold is decided by several at the same moment.
  const race = (commands: readonly StockCommand[]) =>
    Promise.all(commands.map((command) => books.apply([operation([command])], others[turn++ % others.length]?.sql)));
  try {
    const reserve = (index: number) =>
      ({
        kind: 'reserve',
        reservationId: newHoldId(),
        sku,
        location: 'main',
        quantity: 1 + (index % 2),
        holdSeconds: index % 3 === 0 ? 0 : null,
        orderId: 'ord_race',
      }) as const;
    const holds = Array.from({ length: 60 }, (_, index) => reserve(index));
    await race(holds);
    expect(await openHolds(sku)).toEqual({ kept: 60, counted: 60 });
    const ids = holds.slice(0, 45).map(({ reservationId }) => reservationId);
    await race(
      ids.flatMap((reservationId, index): StockCommand[] => [
        { kind: 'expire', reservationId },
        { kind: 'cancel', reservationId, ...(index % 2 === 0 && { quantity: 1 }) },
        { kind: 'confirm', reservationId },
        reserve(index),
      ]),
    );
    const { kept, counted } = await openHolds(sku);
    expect(kept).toBe(counted);
    expect(kept).toBeGreaterThanOrEqual(60);
    expect(await books.differences(sku)).toEqual([]);
  } finally {
    await Promise.all(others.map((other) => other.close()));
  }
});

async function openHolds(sku: string) {
  const [row] = await books.sql<{ kept: number; counted: number }[]>`
    select sum(open_holds)::int as kept,
           (select count(*)::int from reservations where sku = ${sku} and status = 'pending') as counted
      from stock_levels where sku = ${sku}`;
  return row ?? { kept: -1, counted: -1 };
}
