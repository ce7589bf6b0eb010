/** How Postgres finds a product's open holds, however many decided ones there are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { inventoryNow, listInventory, listOpenHolds } from '../../../db/stock/inventory.js';
import { Books } from '../books.js';

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
])('%s: open holds are found and counted by their index alone', async (_where, ask) => {
  await ask();
  const plans = await planned();
  const reads = plans.filter((node) => node['Relation Name'] === 'reservations');
  expect(reads.length).toBeGreaterThan(0);
  for (const read of reads) {
    expect(read).toMatchObject({ 'Index Name': 'reservations_open' });
    expect(read['Node Type']).toMatch(/^Index (Only )?Scan$/);
    expect(read['Index Cond']).toContain('location');
  }
  // The index gives each level's holds in display order, so no more are read than are shown.
  const limits = plans.filter(({ 'Node Type': type, Plans }) => type === 'Limit' && Plans?.[0]?.['Index Name']);
  expect(limits.map(({ Plans }) => Plans?.[0]?.['Index Name'])).toContain('reservations_open');
});
