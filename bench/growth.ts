/**
 * The cost of each list and each query of the sweep with a million orders, compared with a young database that has just
 * enough rows for a page of each list. Both are measured in turns, on the same server, in one run.
 */
import { listApiKeys } from '../db/access/api-keys.js';
import { deleteOldKeys } from '../db/access/idempotency.js';
import { listAudit } from '../db/audit/audit.js';
import { listProducts } from '../db/catalogue/queries.js';
import { getOrder, listOrders, orderTimeline, overdueOrderIds } from '../db/orders/queries.js';
import { claimBatches, claimSkus } from '../db/outbox/outbox.js';
import { listDisputes } from '../db/payments/disputes.js';
import { listPayments } from '../db/payments/queries.js';
import { type Connection, connect } from '../db/postgres/client.js';
import { listRefunds } from '../db/refunds/queries.js';
import { unsettledSagas } from '../db/reviews/lost-sagas.js';
import { listReviews } from '../db/reviews/reviews.js';
import { inventoryAt, inventoryNow, listInventory, listMovements, listOpenHolds } from '../db/stock/inventory.js';
import { queueMissedLevels } from '../db/stock/low-levels.js';
import { overdueReservationIds } from '../db/stock/reservations.js';
import { listPurchaseOrders } from '../db/supply/purchase-orders.js';
import { listReplenishments } from '../db/supply/replenishments.js';
import { listTransfers } from '../db/transfers/queries.js';
import { migrate } from '../db/upgrade/migrate.js';
import { busyCustomer, busySku, fill, type Scale } from './growth-fill.js';
import type { Row } from './table.js';

const young: Scale = { orders: 20_000, products: 1000, ledgerRows: 100, openHolds: 100 };
const grown: Scale = { orders: 1_000_000, products: 1000, ledgerRows: 5000, openHolds: 12_000 };
const rounds = 41;
const limit = 50;
const dayMs = 86_400_000;

type Query = (connection: Connection) => Promise<unknown>;

/** Two pages of a list: the first, and one that begins 80 days ago. */
function pages(
  name: string,
  list: (connection: Connection, cursor: { at: string; id: string } | null) => Promise<unknown>,
) {
  const cursor = { at: new Date(Date.now() - 80 * dayMs).toISOString(), id: 'x' };
  return [
    [`${name}, page 1`, (connection) => list(connection, null)],
    [`${name}, 80 days deep`, (connection) => list(connection, cursor)],
  ] as [string, Query][];
}

const customerId = busyCustomer;
const sku = busySku;
const queries = (): [string, Query][] => [
  ...pages('orders', ({ db }, cursor) => listOrders(db, { limit, cursor })),
  ...pages('orders by status', ({ db }, cursor) => listOrders(db, { limit, cursor, status: 'failed' })),
  ...pages('orders of a customer', ({ db }, cursor) => listOrders(db, { limit, cursor, customerId })),
  ...pages('orders of a customer by status', ({ db }, cursor) =>
    listOrders(db, { limit, cursor, customerId, status: 'cancelled' }),
  ),
  ...pages('payments', ({ db }, cursor) => listPayments(db, { limit, cursor })),
  ...pages('payments of a customer', ({ db }, cursor) => listPayments(db, { limit, cursor, customerId })),
  ...pages('refunds', ({ db }, cursor) => listRefunds(db, { limit, cursor })),
  ...pages('disputes', ({ db }, cursor) => listDisputes(db, { limit, cursor })),
  ...pages('audit log of an actor', ({ db }, cursor) =>
    listAudit(db, { limit, cursor: cursor && { ...cursor, id: '0' }, actor: 'key_1' }),
  ),
  ...pages('keys', ({ db }, cursor) => listApiKeys(db, { limit, cursor })),
  ...pages('reviews', ({ db }, cursor) => listReviews(db, { limit, cursor, status: 'resolved' })),
  ...pages('transfers', ({ db }, cursor) => listTransfers(db, { limit, cursor })),
  ...pages('replenishments', ({ db }, cursor) => listReplenishments(db, { limit, cursor, status: 'completed' })),
  ...pages('purchase orders', ({ db }, cursor) => listPurchaseOrders(db, { limit, cursor })),
  ...pages('products', ({ db }, cursor) => listProducts(db, { limit, cursor })),
  ...pages('inventory', ({ sql }, cursor) => listInventory(sql, { limit, cursor })),
  ...pages('movements', ({ sql }, cursor) => listMovements(sql, { sku: 'GROWTH-2', location: null, limit, cursor })),
  ['open holds, page 1', ({ sql }) => listOpenHolds(sql, { sku, location: null, limit, cursor: null })],
  ['one order', ({ db }) => getOrder(db, `ord_${'1'.padStart(32, '0')}`)],
  ['timeline', ({ db }) => orderTimeline(db, { id: `ord_${'1'.padStart(32, '0')}`, limit, after: 0 })],
  ['stock with open holds', ({ sql }) => inventoryNow(sql, sku, null)],
  [
    'stock 80 days ago',
    ({ sql }) => inventoryAt(sql, 'GROWTH-2', null, new Date(Date.now() - 80 * dayMs).toISOString()),
  ],
  ['sweep: overdue holds', ({ db }) => overdueReservationIds(db, 200)],
  ['sweep: overdue orders', ({ db }) => overdueOrderIds(db, 200)],
  ['sweep: old requests', ({ sql }) => deleteOldKeys(sql, 5000)],
  ['sweep: low levels', ({ sql }) => queueMissedLevels(sql, 3600)],
  [
    'sweep: lost sagas',
    ({ sql }) =>
      unsettledSagas(
        sql,
        Array.from({ length: 50 }, (_, n) => `order/ord_${`${n}`.padStart(32, '0')}`),
      ),
  ],
  ['outbox: mails', ({ sql }) => claimBatches(sql, 'mail', 'bench', { limit: 200, leaseSeconds: 10 })],
  ['outbox: low levels', ({ sql }) => claimSkus(sql, { limit: 32, leaseSeconds: 10 })],
];

/** The median of each query on both databases, in ms, and their ratio. */
export async function benchGrowth(databaseUrl: string): Promise<Row[]> {
  const admin = connect(databaseUrl, { applicationName: 'bench growth', maxConnections: 1 });
  const databases: Connection[] = [];
  try {
    for (const [name, scale] of [
      ['growth_young', young],
      ['growth_grown', grown],
    ] as const) {
      await admin.sql.unsafe(`drop database if exists ${name} with (force)`);
      await admin.sql.unsafe(`create database ${name}`);
      const url = Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;
      await migrate(url);
      const filling = connect(url, { applicationName: 'bench growth', maxConnections: 1 });
      const began = performance.now();
      try {
        await fill(filling.sql, scale);
      } finally {
        await filling.close();
      }
      console.log(`${name}: filled in ${Math.round((performance.now() - began) / 1000)} s`);
      databases.push(connect(url, { applicationName: 'bench growth', maxConnections: 1 }));
    }
    const rows: Row[] = [];
    for (const [query, run] of queries()) rows.push(await compare(query, run, databases));
    return rows;
  } finally {
    await Promise.all(databases.map((each) => each.close()));
    for (const name of ['growth_young', 'growth_grown'])
      await admin.sql.unsafe(`drop database if exists ${name} with (force)`);
    await admin.close();
  }
}

async function compare(query: string, run: Query, databases: readonly Connection[]): Promise<Row> {
  const times: number[][] = databases.map(() => []);
  for (let round = -5; round < rounds; round++)
    for (const [index, connection] of databases.entries()) {
      const began = performance.now();
      await run(connection);
      if (round >= 0) times[index]?.push(performance.now() - began);
    }
  const [ofYoung = 0, ofGrown = 0] = times.map((each) => each.sort((a, b) => a - b)[rounds >> 1] ?? 0);
  return {
    query,
    'young ms': ofYoung.toFixed(2),
    'grown ms': ofGrown.toFixed(2),
    times: (ofGrown / ofYoung).toFixed(1),
  };
}
