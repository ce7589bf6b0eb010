/** The upgrade of a database from the release before functions were files, with that release's data in every table. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { getOrder, orderTimeline } from '../../../db/orders/queries.js';
import { createOrderStore } from '../../../db/orders/store.js';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { inventoryNow } from '../../../db/stock/inventory.js';
import { createLedger } from '../../../db/stock/ledger.js';
import { queueMissedLevels } from '../../../db/stock/low-levels.js';
import { receiveDelivery } from '../../../db/supply/purchase-orders.js';
import { getTransfer } from '../../../db/transfers/queries.js';
import { createTransferStore } from '../../../db/transfers/store.js';
import { migrate, schemaCheck } from '../../../db/upgrade/migrate.js';
import type { StockResult } from '../../../domain/stock.js';
import { verify } from '../books.js';
import { type Scratch, scratchDatabase } from '../scratch.js';
import { confirming, fill, migrateAsThen, moving, opening, sending, settling } from './before-function-files.js';

let scratch: Scratch;
let connection: Connection;
/** What callers got whose calls were running in old functions when the tables changed. */
let received: readonly PromiseSettledResult<readonly StockResult[]>[];
beforeAll(async () => {
  scratch = await scratchDatabase();
  await migrateAsThen(scratch.sql);
  await fill(scratch.sql);
  connection = connect(scratch.url, { applicationName: 'upgrade', maxConnections: 2 });
  received = await receiveDuringUpgrade();
});
afterAll(async () => {
  await connection?.close();
  await scratch?.drop();
});

/** Upgrades while eight sessions are in the middle of `stock_apply`: a reader holds the upgrade up, and it holds up them. */
async function receiveDuringUpgrade(): Promise<typeof received> {
  const { sql, url } = scratch;
  const sessions = Array.from({ length: 8 }, () =>
    connect(url, { applicationName: 'upgrade writer', maxConnections: 1 }),
  );
  const receive = (key: string) =>
    Promise.allSettled(
      sessions.map((session, index) =>
        createLedger(session.sql).apply([
          {
            key: `${key} ${index}`,
            actor: 'test',
            commands: [{ kind: 'receive', sku: 'BUSY', location: 'main', quantity: 1 }],
          },
        ]),
      ),
    );
  /** Until so many sessions wait for the table. */
  const wait = (application: string, sessionCount: number) =>
    vi.waitFor(
      async () => {
        const [row] = await connection.sql<{ count: number }[]>`
          select count(*)::int from pg_locks join pg_stat_activity using (pid)
           where not granted and relation = 'stock_levels'::regclass and application_name = ${application}`;
        expect(row?.count).toBe(sessionCount);
      },
      { timeout: 20_000, interval: 10 },
    );
  const reader = await sql.reserve();
  try {
    await receive('before');
    await reader`begin`;
    await reader`select from stock_levels limit 1`;
    const upgrading = migrate(url);
    await wait('holdfast migrate', 1);
    const receiving = receive('during');
    await wait('upgrade writer', sessions.length);
    await reader`commit`;
    await upgrading;
    return await receiving;
  } finally {
    reader.release();
    await Promise.all(sessions.map((session) => session.close()));
  }
}

const orders = () => createOrderStore(connection.sql);
const transfers = () => createTransferStore(connection.sql);

test('the upgraded database is up to date', async () => {
  expect(await schemaCheck()(connection.sql)).toBe(true);
});

test('a call that the upgrade overtakes in an old function is repeated in the new one', async () => {
  expect(received).toHaveLength(8);
  for (const each of received) expect(each).toMatchObject({ status: 'fulfilled', value: [{ outcome: 'done' }] });
  expect(await inventoryNow(connection.sql, 'BUSY', 'main')).toMatchObject({ onHand: 16 });
});

describe('what was decided before the upgrade', () => {
  test('is answered as before, word for word', async () => {
    expect(await orders().apply(opening('ord_unknown', 'NONE', 1))).toEqual({
      outcome: 'refused',
      state: null,
      transitions: [],
      refusal: { code: 'unknown_sku', detail: 'there is no product NONE', extensions: { sku: 'NONE' } },
    });
    expect(await transfers().apply(sending('trf_unknown', 1, 'NONE'))).toMatchObject({
      refusal: { code: 'unknown_sku', detail: 'there is no product NONE' },
    });
    expect(await orders().apply(settling('ord_sold'))).toMatchObject({
      outcome: 'done',
      transitions: [{ from: 'confirming', to: 'confirmed' }],
    });
  });

  test('reads as before', async () => {
    const failure = { code: 'insufficient_stock', detail: 'insufficient stock: available=18, requested=50' };
    expect((await getOrder(connection.db, 'ord_lacking'))?.order).toMatchObject({
      status: 'failed',
      failureCode: failure.code,
      failureDetail: failure.detail,
    });
    const timeline = await orderTimeline(connection.db, { id: 'ord_lacking', limit: 10, after: 0 });
    expect(timeline?.items.map(({ to, reason }) => [to, reason])).toEqual([
      ['pending', null],
      ['failed', failure.detail],
    ]);
    expect(await getTransfer(connection.db, 'trf_lacking')).toMatchObject({
      status: 'failed',
      failureCode: 'insufficient_stock',
      failureDetail: 'insufficient stock: available=16, requested=50',
    });
  });
});

test('a process of the old release still finds a full sentence in a refusal', async () => {
  const steps = JSON.stringify([opening('ord_of_then', 'NONE', 1)]);
  const [row] = await connection.sql`select order_apply(${steps}::text::jsonb)->0->'refusal' as refusal`;
  expect(row?.refusal).toMatchObject({ code: 'unknown_sku', detail: 'unknown_sku', extensions: { sku: 'NONE' } });
});

test('open holds from before are counted', async () => {
  expect((await inventoryNow(connection.sql, 'OLD', 'main'))?.reservationCount).toBe(1);
  expect((await inventoryNow(connection.sql, 'PLENTY', 'main'))?.reservationCount).toBe(0);
});

test('a level that was low before is replenished once, and an untouched product only if its replenishment was tried before', async () => {
  const { sql } = connection;
  const waiting = async () => {
    const rows = await sql<{ sku: string }[]>`
      select sku from outbox where topic = 'replenish' and delivered_at is null order by sku`;
    return rows.map(({ sku }) => sku);
  };
  expect(await waiting()).toEqual(['LOW', 'WAITING']);
  await sql`update low_levels set marked_at = marked_at - interval '61 s'`;
  expect(await queueMissedLevels(sql, 3600)).toBe(2);
  expect(await waiting()).toEqual(['LOW', 'MISSED', 'TRIED', 'WAITING']);
  expect(await queueMissedLevels(sql, 3600)).toBe(0);

  await sql`update products set reorder_point = 6 where sku = 'UNTOUCHED'`;
  await sql`update low_levels set marked_at = marked_at - interval '61 s'`;
  expect(await queueMissedLevels(sql, 3600)).toBe(1);
  expect(await waiting()).toContain('UNTOUCHED');
});

test('old and new orders can be bought, and an order without stock says what it lacks', async () => {
  expect(await orders().apply(confirming('ord_held'))).toMatchObject({ state: { status: 'confirming' } });
  expect(await orders().apply(settling('ord_held'))).toMatchObject({ state: { status: 'confirmed' } });
  expect(await orders().apply(opening('ord_new', 'OLD', 1))).toMatchObject({ state: { status: 'reserved' } });
  expect(await orders().apply(confirming('ord_new'))).toMatchObject({ outcome: 'done' });
  expect(await orders().apply(settling('ord_new'))).toMatchObject({ state: { status: 'confirmed' } });
  const lacking = await orders().apply(opening('ord_new_lacking', 'OLD', 50));
  expect(lacking).toMatchObject({
    state: { status: 'failed' },
    refusal: { code: 'insufficient_stock', extensions: { sku: 'OLD', location: 'main', requested: 50 } },
  });
});

test('goods in transit arrive, and new ones can be shipped', async () => {
  const arrival = { step: 'receive', ...moving('trf_sent', 'receive'), quantity: 1, reason: 'one broke' } as const;
  expect(await transfers().apply(arrival)).toMatchObject({
    outcome: 'done',
    state: { status: 'completed', received: 1 },
  });
  expect(await transfers().apply(sending('trf_new', 1))).toMatchObject({ state: { status: 'reserved' } });
  const move = { step: 'move', ...moving('trf_new', 'move') } as const;
  expect(await transfers().apply(move)).toMatchObject({ state: { status: 'completed' } });
});

test('a delivery ordered before the upgrade is received', async () => {
  expect(await receiveDelivery(connection.sql, 'po_1', 'test')).toMatchObject({ outcome: 'received' });
});

test('the books agree', async () => {
  await createLedger(connection.sql).apply([
    { key: 'one more', actor: 'test', commands: [{ kind: 'consume', sku: 'OLD', location: 'main', quantity: 1 }] },
  ]);
  expect(await verify(connection.sql)).toEqual([]);
});
