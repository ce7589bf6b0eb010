/** How Postgres finds a page of each list and the rows of each query of the sweep: by index, however much else there is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fill } from '../../../bench/growth-fill.js';
import { listApiKeys } from '../../../db/access/api-keys.js';
import { deleteOldKeys } from '../../../db/access/idempotency.js';
import { listLocations, listProducts } from '../../../db/catalogue/queries.js';
import { listOrders, overdueOrderIds } from '../../../db/orders/queries.js';
import { listPayments } from '../../../db/payments/queries.js';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { listReviews } from '../../../db/reviews/reviews.js';
import { overdueReservationIds } from '../../../db/stock/reservations.js';
import { listVerifications } from '../../../db/stock/verifications.js';
import { start, verifyChunk } from '../../../db/stock/verify.js';
import { listPurchaseOrders } from '../../../db/supply/purchase-orders.js';
import { listReplenishments } from '../../../db/supply/replenishments.js';
import { listSuppliers } from '../../../db/supply/suppliers.js';
import { listTransfers } from '../../../db/transfers/queries.js';
import { type QuietBooks, quietBooks } from '../outbox/books.js';

const asked: string[] = [];
let books: QuietBooks;
let connection: Connection;
beforeAll(async () => {
  books = await quietBooks();
  const { sql } = books.connection;
  const [here] = await sql<{ name: string }[]>`select current_database() as name`;
  const url = Object.assign(new URL(process.env.HOLDFAST_TEST_DATABASE_URL ?? ''), { pathname: `/${here?.name}` }).href;
  const filling = connect(url, { applicationName: 'plans', maxConnections: 1 });
  await fill(filling.sql, { orders: 20_000, products: 500, ledgerRows: 20, openHolds: 100 });
  await filling.close();
  connection = connect(url, { applicationName: 'plans', maxConnections: 1, onQuery: (query) => asked.push(query) });
});
afterAll(async () => {
  await connection?.close();
  await books?.close();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly Plan[];
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

/** The plan of the last query about a table, for whatever values. */
async function planned(ask: () => Promise<unknown>, table: string): Promise<Plan[]> {
  asked.length = 0;
  await ask();
  const query = asked.findLast((text) => text.includes(table) && /^\s*(select|delete|with)/i.test(text));
  const [row] = await books.connection.sql.unsafe<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
    `explain (generic_plan, format json) ${query}`,
  );
  return (row?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodes(Plan));
}

const page = { limit: 50, cursor: { at: '2026-01-01T00:00:00.000000Z', id: 'x' } };
const [status, sku, customerId] = ['failed', 'GROWTH-1', 'cus_0'];

test.each<[string, string, () => Promise<unknown>]>([
  ['orders', 'orders', () => listOrders(connection.db, page)],
  ['orders of a status', 'orders', () => listOrders(connection.db, { ...page, status })],
  ['orders of a customer', 'orders', () => listOrders(connection.db, { ...page, customerId })],
  ['orders of a customer and status', 'orders', () => listOrders(connection.db, { ...page, customerId, status })],
  ['payments', 'payments', () => listPayments(connection.db, page)],
  ['payments of a customer', 'payments', () => listPayments(connection.db, { ...page, customerId })],
  ['keys', 'api_keys', () => listApiKeys(connection.db, page)],
  ['reviews', 'manual_reviews', () => listReviews(connection.db, page)],
  ['reviews of a status', 'manual_reviews', () => listReviews(connection.db, { ...page, status: 'open' })],
  ['products', 'products', () => listProducts(connection.db, page)],
  ...(
    [
      ['transfers', 'transfers', listTransfers],
      ['replenishments', 'replenishments', listReplenishments],
      ['purchase orders', 'purchase_orders', listPurchaseOrders],
    ] as const
  ).flatMap(([name, table, list]): [string, string, () => Promise<unknown>][] => [
    [name, table, () => list(connection.db, page)],
    [`${name} of a status`, table, () => list(connection.db, { ...page, status })],
    [`${name} of a product`, table, () => list(connection.db, { ...page, sku })],
    [`${name} of a product and status`, table, () => list(connection.db, { ...page, sku, status })],
  ]),
])('a page of %s starts at its cursor in an index, and sorts and filters nothing', async (_name, table, ask) => {
  const plans = await planned(ask, table);
  const reads = plans.filter((node) => node['Relation Name'] === table);
  expect(reads).toMatchObject([{ 'Index Cond': expect.stringContaining('ROW(') }]);
  expect(reads[0]).not.toHaveProperty('Filter');
  expect(plans[0]?.['Node Type']).toBe('Limit');
  expect(plans.slice(0, 3).map((node) => node['Node Type'])).not.toContain('Sort');
});

// Tables of a few rows are read whole by any plan: here it is the index's order that counts.
test.each<[string, () => Promise<unknown>]>([
  ['suppliers', () => listSuppliers(connection.db, page)],
  ['locations', () => listLocations(connection.db, page)],
  ['ledger_verifications', () => listVerifications(connection.db, page)],
])('a page of %s has an index in its order', async (table, ask) => {
  asked.length = 0;
  await ask();
  const query = asked.findLast((text) => text.includes(table)) ?? '';
  const plans = await books.connection.sql.begin(async (sql) => {
    await sql`set local enable_seqscan = off`;
    await sql`set local enable_sort = off`;
    const [row] = await sql.unsafe<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
      `explain (generic_plan, format json) ${query}`,
    );
    return (row?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodes(Plan));
  });
  expect(plans.map((node) => node['Node Type'])).not.toContain('Sort');
  expect(plans.find((node) => node['Relation Name'] === table)?.['Index Cond']).toContain('ROW(');
});

test.each<[string, string, () => Promise<unknown>]>([
  ['overdue holds', 'reservations', () => overdueReservationIds(connection.db, 200)],
  ['overdue orders', 'orders', () => overdueOrderIds(connection.db, 200)],
  ['old requests', 'idempotency_keys', () => deleteOldKeys(connection.sql, 500)],
  ['a chunk of the ledger', 'stock_ledger', () => verifyChunk(connection.sql, start, 500)],
])('%s are found by time or key in an index', async (_name, table, ask) => {
  const plans = await planned(ask, table);
  const reads = plans.filter((node) => node['Relation Name'] === table && node['Node Type'] !== 'ModifyTable');
  expect(reads.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  expect(reads.some((node) => node['Index Cond'] !== undefined)).toBe(true);
});
