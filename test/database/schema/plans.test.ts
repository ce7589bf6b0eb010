/** Postgres finds a page of each list, and the rows of each query of the sweep, by index, however large the tables are. */
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fill } from '../../../bench/growth-fill.js';
import { listApiKeys } from '../../../db/access/api-keys.js';
import { deleteOldKeys } from '../../../db/access/idempotency.js';
import { listAudit } from '../../../db/audit/audit.js';
import { listLocations, listProducts } from '../../../db/catalogue/queries.js';
import { listOrders, overdueOrderIds } from '../../../db/orders/queries.js';
import { listDisputes } from '../../../db/payments/disputes.js';
import { listPayments } from '../../../db/payments/queries.js';
import { type Connection, connect, type Database } from '../../../db/postgres/client.js';
import { listRefunds } from '../../../db/refunds/queries.js';
import { listReviews } from '../../../db/reviews/reviews.js';
import * as schema from '../../../db/schema/index.js';
import { overdueReservationIds } from '../../../db/stock/reservations.js';
import { listVerifications } from '../../../db/stock/verifications.js';
import { start, verifyChunk } from '../../../db/stock/verify.js';
import { createSubscriptionStore } from '../../../db/subscriptions/store.js';
import { dueOnClock } from '../../../db/subscriptions/test-clocks.js';
import { listPurchaseOrders } from '../../../db/supply/purchase-orders.js';
import { listReplenishments } from '../../../db/supply/replenishments.js';
import { listSuppliers } from '../../../db/supply/suppliers.js';
import { listTransfers } from '../../../db/transfers/queries.js';
import { type QuietBooks, quietBooks } from '../outbox/books.js';

const asked: { readonly query: string; readonly values: readonly unknown[] }[] = [];
let books: QuietBooks;
let connection: Connection;
let db: Database;
beforeAll(async () => {
  books = await quietBooks();
  const { sql } = books.connection;
  const [here] = await sql<{ name: string }[]>`select current_database() as name`;
  const url = Object.assign(new URL(process.env.HOLDFAST_TEST_DATABASE_URL ?? ''), { pathname: `/${here?.name}` }).href;
  const filling = connect(url, { applicationName: 'plans', maxConnections: 1 });
  await fill(filling.sql, { orders: 20_000, products: 500, ledgerRows: 20, openHolds: 100 });
  await filling.close();
  connection = connect(url, {
    applicationName: 'plans',
    maxConnections: 1,
    onQuery: (query) => asked.push({ query, values: [] }),
  });
  // Drizzle's queries are planned anew for their values each time.
  const logger = { logQuery: (query: string, values: unknown[]) => void asked.push({ query, values }) };
  db = drizzle(connection.sql, { schema, logger });
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await books?.close();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Parent Relationship'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Index Name'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly Plan[];
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

/** The plan of the last query on a table: for its values if Postgres plans for them, else the generic plan. */
async function planned(ask: () => Promise<unknown>, table: string, settings: readonly string[] = []): Promise<Plan[]> {
  asked.length = 0;
  await ask();
  const about = asked.filter(({ query }) => query.includes(table) && /^\s*(select|delete|with)/i.test(query));
  const last = about.findLast(({ values }) => values.length > 0) ?? about.at(-1);
  return books.connection.sql.begin(async (sql) => {
    for (const setting of settings) await sql.unsafe(`set local ${setting} = off`);
    const values = last?.values.map(String) ?? [];
    const how = values.length > 0 ? 'format json' : 'generic_plan, format json';
    const [row] = await sql.unsafe<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(`explain (${how}) ${last?.query}`, values);
    return (row?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodes(Plan));
  });
}

// Half of the orders have a tag, and half come from a channel.
beforeAll(async () => {
  await books.connection.sql.unsafe(`
    update orders set channel = 'shop' where right(id, 1) in ('1', '3', '5', '7', '9');
    insert into order_tags (tag, created_at, order_id)
    select 'gift', created_at, id from orders where right(id, 1) in ('0', '2', '4', '6', '8');
    analyze orders; analyze order_tags;
    insert into test_clocks (id, now) select 'clk_' || n, now() from generate_series(1, 20) n;
    insert into subscriptions (id, status, customer_id, plan_amount, plan_currency, plan_interval, gateway, anchor, created_at, test_clock, next_at)
    select 'sub_' || n, 'active', 'cus_1', 100, 'USD', 'month', 'sandbox', now(), now(),
           case when n % 2 = 0 then 'clk_' || n % 10 + 1 end, now() + n * interval '1 min'
      from generate_series(1, 20000) n;
    insert into billing_records (id, subscription_id, kind, period_start, period_end, amount, credit, charged, status, lines, created_at)
    select 'bil_' || n, 'sub_' || n % 20 + 1, 'period', now() + n * interval '1 day', now() + (n + 1) * interval '1 day',
           0, 0, 0, case n when 1 then 'failed' else 'paid' end, '[]', now() + n * interval '1 day'
      from generate_series(1, 5000) n;
    analyze subscriptions; analyze billing_records`);
});

/** In the middle of the rows, because beyond the last row any plan is good. */
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const cursor = { at: daysAgo(45), id: 'x' };
const page = { limit: 50, cursor };
const auditPage = { limit: 50, cursor: { ...cursor, id: '1' } };

test.each<[string, string, () => Promise<unknown>]>([
  ['orders', 'orders', () => listOrders(db, page)],
  ['orders of a status', 'orders', () => listOrders(db, { ...page, status: 'failed' })],
  ['orders of a customer', 'orders', () => listOrders(db, { ...page, customerId: 'cus_0' })],
  ['orders with a tag', 'order_tags', () => listOrders(db, { ...page, tag: 'gift' })],
  ['orders of a channel', 'orders', () => listOrders(db, { ...page, channel: 'shop' })],
  ['orders of a time', 'orders', () => listOrders(db, { ...page, from: daysAgo(80), to: daysAgo(10) })],
  ['payments', 'payments', () => listPayments(db, page)],
  ['payments of a customer', 'payments', () => listPayments(db, { ...page, customerId: 'cus_0' })],
  ['refunds', 'refunds', () => listRefunds(db, page)],
  ['failed refunds', 'refunds', () => listRefunds(db, { ...page, status: 'failed' })],
  ['refunds of an order', 'refunds', () => listRefunds(db, { ...page, orderId: 'ord_0' })],
  ['refunds of a payment', 'refunds', () => listRefunds(db, { ...page, paymentId: 'pay_0' })],
  ['disputes', 'disputes', () => listDisputes(db, page)],
  ['open disputes', 'disputes', () => listDisputes(db, { ...page, status: 'open' })],
  ['disputes of a payment', 'disputes', () => listDisputes(db, { ...page, paymentId: 'pay_0' })],
  ['the audit log', 'audit_log', () => listAudit(db, auditPage)],
  ['audit rows of a time', 'audit_log', () => listAudit(db, { ...auditPage, from: daysAgo(80), to: daysAgo(10) })],
  ['audit rows about a subject', 'audit_log', () => listAudit(db, { ...auditPage, subject: 'payment/pay_1' })],
  ['audit rows by an actor', 'audit_log', () => listAudit(db, { ...auditPage, actor: 'key_1' })],
  ['audit rows of an action', 'audit_log', () => listAudit(db, { ...auditPage, action: 'action.1' })],
  ['keys', 'api_keys', () => listApiKeys(db, page)],
  ['reviews', 'manual_reviews', () => listReviews(db, page)],
  ['open reviews', 'manual_reviews', () => listReviews(db, { ...page, status: 'open' })],
  ['products', 'products', () => listProducts(db, page)],
  ['transfers', 'transfers', () => listTransfers(db, page)],
  ['failed transfers', 'transfers', () => listTransfers(db, { ...page, status: 'failed' })],
  ['replenishments', 'replenishments', () => listReplenishments(db, page)],
  ['failed replenishments', 'replenishments', () => listReplenishments(db, { ...page, status: 'failed' })],
  ['purchase orders', 'purchase_orders', () => listPurchaseOrders(db, page)],
  ['failed purchase orders', 'purchase_orders', () => listPurchaseOrders(db, { ...page, status: 'failed' })],
])('a page of %s starts at its cursor in an index, and sorts and filters nothing', async (_name, table, ask) => {
  // With a few thousand rows, collecting and sorting may be cheaper.
  const plans = await planned(ask, table, ['enable_bitmapscan']);
  const reads = plans.filter((node) => node['Relation Name'] === table);
  expect(reads).toMatchObject([{ 'Index Cond': expect.stringContaining('ROW(') }]);
  expect(reads[0]).not.toHaveProperty('Filter');
  expect(plans[0]?.['Node Type']).toBe('Limit');
  // A row's own list, such as the disputes of a payment, may be sorted.
  const ofRow = plans.findIndex((node) => node['Parent Relationship'] === 'SubPlan');
  const ofPage = plans.slice(0, ofRow === -1 ? 3 : Math.min(3, ofRow));
  expect(ofPage.map((node) => node['Node Type'])).not.toContain('Sort');
});

// Which of two indexes the planner picks depends on the values, so check that each filter has its own.
test.each<[string, readonly string[]]>([
  ['orders', ['status', 'customer_id', 'customer_id, status', 'channel', 'external_reference']],
  ['payments', ['customer_id']],
  ['manual_reviews', ['status']],
  ['transfers', ['status', 'sku', 'sku, status']],
  ['replenishments', ['status', 'sku', 'sku, status']],
  ['purchase_orders', ['status', 'sku', 'sku, status']],
])('each filter of the list of %s has an index in the order of the list', async (table, filters) => {
  const indexes = await books.connection.sql<{ definition: string }[]>`
    select indexdef as definition from pg_indexes where tablename = ${table}`;
  for (const filter of filters)
    expect(indexes.map(({ definition }) => definition)).toContainEqual(
      expect.stringContaining(`(${filter}, created_at DESC, id DESC)`),
    );
});

// Any plan reads a table of few rows whole, so check the order of the index.
test.each<[string, () => Promise<unknown>]>([
  ['suppliers', () => listSuppliers(db, page)],
  ['locations', () => listLocations(db, page)],
  ['ledger_verifications', () => listVerifications(db, page)],
])('a page of %s has an index in its order', async (table, ask) => {
  const plans = await planned(ask, table, ['enable_seqscan', 'enable_sort']);
  expect(plans.map((node) => node['Node Type'])).not.toContain('Sort');
  expect(plans.find((node) => node['Relation Name'] === table)?.['Index Cond']).toContain('ROW(');
});

test.each<[string, string, () => Promise<unknown>]>([
  ['overdue holds', 'reservations', () => overdueReservationIds(db, 200)],
  ['overdue orders', 'orders', () => overdueOrderIds(db, 200)],
  ['old requests', 'idempotency_keys', () => deleteOldKeys(connection.sql, 500)],
  ['what is due on a test clock', 'subscriptions', () => dueOnClock(connection.sql, 'clk_1', daysAgo(0), 20)],
  ['a chunk of the ledger', 'stock_ledger', () => verifyChunk(connection.sql, start, 500)],
])('%s: rows are found by time or key in an index', async (_name, table, ask) => {
  const plans = await planned(ask, table);
  const reads = plans.filter((node) => node['Relation Name'] === table && node['Node Type'] !== 'ModifyTable');
  expect(reads.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  expect(reads.some((node) => node['Index Cond'] !== undefined)).toBe(true);
});

test('what is not settled of a subscription is found without its settled records', async () => {
  const store = createSubscriptionStore({ sql: connection.sql, db });
  const plans = await planned(() => store.read('sub_1'), 'billing_records');
  const [read] = plans.filter((node) => node['Relation Name'] === 'billing_records');
  expect(read).toMatchObject({ 'Index Cond': expect.stringContaining('subscription_id') });
  expect(plans.map((node) => node['Index Name'])).toContain('billing_records_unsettled');
});
