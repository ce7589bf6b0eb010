/** The upgrade of a database from the release before functions were files, with that release's data in every table. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
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
import { definerFunctions, secureDefiners } from '../../../db/upgrade/roles.js';
import type { OrderStep, PaymentRecord } from '../../../domain/orders/steps.js';
import type { StockResult } from '../../../domain/stock.js';
import type { TransferStep } from '../../../domain/transfers/steps.js';
import { verify } from '../books.js';
import { type Scratch, scratchDatabase } from '../scratch.js';

/** The last migration of that release. */
const lastOfThen = '0012_present_transfers';

const by = (orderId: string, name: string) =>
  ({ key: `order/${orderId}/${name}`, orderId, actor: 'test', traceId: '' }) as const;
const opening = (orderId: string, sku: string, quantity: number): OrderStep => ({
  step: 'open',
  ...by(orderId, 'open'),
  workflowId: `order/${orderId}`,
  customer: null,
  lines: [{ sku, quantity, location: 'main', reservationId: `rsv_${orderId}` }],
  holdSeconds: 900,
  draftSeconds: 900,
  confirming: false,
  payment: null,
});
const paymentOf = (orderId: string): PaymentRecord => ({
  id: `pay_${orderId}`,
  status: 'captured',
  amount: 100,
  currency: 'USD',
  orderId,
  customerId: null,
  email: null,
  reference: orderId,
  cardUsed: 'primary',
  fraudScore: 0.1,
  attempts: [],
  providerReference: 'auth_1',
  failure: null,
});
const confirming = (orderId: string): OrderStep => ({
  step: 'begin_confirm',
  ...by(orderId, 'confirm'),
  payment: { paymentId: `pay_${orderId}`, choice: { cardToken: 'tok_visa' } },
});
const settling = (orderId: string): OrderStep => ({
  step: 'settle',
  ...by(orderId, 'settle'),
  payment: paymentOf(orderId),
  mails: [{ template: 'receipt', paymentId: `pay_${orderId}` }],
});
const moving = (transferId: string, name: string) =>
  ({ key: `${transferId}/${name}`, transferId, actor: 'test', traceId: '' }) as const;
const sending = (transferId: string, quantity: number, sku = 'OLD'): TransferStep => ({
  step: 'open',
  ...moving(transferId, 'open'),
  workflowId: `transfer/${transferId}`,
  sku,
  quantity,
  from: 'main',
  to: 'west',
  mode: 'shipped',
  reservationId: `rsv_${transferId}`,
});

let scratch: Scratch;
let connection: Connection;
/** What callers got whose calls were running in old functions when the tables changed. */
let received: readonly PromiseSettledResult<readonly StockResult[]>[];
beforeAll(async () => {
  scratch = await scratchDatabase();
  await migrateAsThen();
  await fill();
  connection = connect(scratch.url, { applicationName: 'upgrade', maxConnections: 2 });
  received = await receiveDuringUpgrade();
});
afterAll(async () => {
  await connection?.close();
  await scratch?.drop();
});

/** Applies that release's migrations as it did. */
async function migrateAsThen(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-migrations-'));
  try {
    cpSync(new URL('../../../db/migrations', import.meta.url), folder, { recursive: true });
    const file = join(folder, 'meta/_journal.json');
    const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(file, 'utf8'));
    journal.entries = journal.entries.filter(({ tag }) => tag <= lastOfThen);
    writeFileSync(file, JSON.stringify(journal));
    await runMigrations(drizzle(scratch.sql), { migrationsFolder: folder });
    const present = await scratch.sql<{ name: string }[]>`
      select name from unnest(${[...definerFunctions]}::text[]) as name where to_regprocedure(name) is not null`;
    await secureDefiners(
      scratch.sql,
      present.map(({ name }) => name),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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

/** Fills every table, with that release's own functions as far as they write it. */
async function fill(): Promise<void> {
  const { sql } = scratch;
  await sql.unsafe(`
    insert into suppliers (id, name, active, min_order_quantity, max_order_quantity, created_by)
    values ('sup_1', 'Mill', true, 1, 100, 'test');
    insert into products (sku, name, price_amount, price_currency, reorder_point, max_stock, supplier_id, created_by)
    values ('OLD', 'Old', 100, 'USD', null, null, null, 'test'), ('LOW', 'Low', 100, 'USD', 5, 9, 'sup_1', 'test'),
           ('BUSY', 'Busy', 100, 'USD', null, null, null, 'test');
    insert into locations (code, name, created_by) values ('west', 'West', 'test');
    insert into manual_reviews (id, kind, subject, detail, attempts) values ('rev_1', 'step_failed', 'order/ord_x', '{}', 1);
    insert into api_keys (id, name, hash, scopes) values ('key_1', 'shop', 'x', '{admin}');
    insert into api_processes (id, alive_until) values ('api_1', now());
    insert into idempotency_keys (api_key_id, key, request_hash, ids) values ('key_1', 'k', 'x', '{}');
    insert into replenishments (id, sku, location, status, quantity, supplier_id, unit_price_amount, unit_price_currency)
    values ('rpl_1', 'LOW', 'main', 'running', 4, 'sup_1', 50, 'USD');
    insert into replenishment_requests (id, sku, location, update_id) values ('rpl_2', 'LOW', 'main', 'u');
    insert into purchase_orders (id, supplier_id, supplier_order_id, status, sku, location, quantity, unit_price_amount,
                                 unit_price_currency, replenishment_id)
    values ('po_1', 'sup_1', 'S-1', 'ordered', 'LOW', 'main', 4, 50, 'USD', 'rpl_1')`);
  // What a level of each kind leads to is in `a low level of then`.
  await sql.unsafe(`
    insert into products (sku, name, price_amount, price_currency, reorder_point, max_stock, supplier_id,
                          supplier_price_amount, supplier_price_currency, created_by, created_at)
    select sku, sku, 100, 'USD', 5, 9, 'sup_1', 50, 'USD', 'test', now() - interval '1 d'
      from unnest(array['MISSED', 'TRIED', 'UNTOUCHED', 'PLENTY', 'WAITING']) sku;
    insert into replenishments (id, sku, location, status, quantity, supplier_id, unit_price_amount, unit_price_currency,
                                failure_code, failure_detail, updated_at)
    values ('rpl_tried', 'TRIED', 'main', 'failed', 9, 'sup_1', 50, 'USD', 'supplier_failed', 'no answer',
            now() - interval '2 h')`);
  const ask = async (call: string, asked: readonly unknown[]) =>
    (await sql.unsafe(`select ${call}($1::text::jsonb) as results`, [JSON.stringify(asked)]))[0]?.results;
  for (const sku of ['OLD', 'LOW', 'MISSED', 'PLENTY', 'WAITING']) {
    const quantity = ['OLD', 'PLENTY'].includes(sku) ? 20 : 2;
    const commands = [{ kind: 'receive', sku, location: 'main', quantity }];
    await ask('stock_apply', [{ key: `stock ${sku}`, actor: 'test', commands }]);
  }
  await sql`update outbox set claimed_until = now(), delivered_at = now() where topic = 'replenish' and sku = 'MISSED'`;
  await ask('order_apply', [
    opening('ord_sold', 'OLD', 1),
    opening('ord_held', 'OLD', 1),
    opening('ord_lacking', 'OLD', 50),
    opening('ord_unknown', 'NONE', 1),
    opening('ord_waiting', 'LOW', 3),
  ]);
  await ask('order_apply', [confirming('ord_sold')]);
  await ask('order_apply', [settling('ord_sold')]);
  await ask('transfer_apply', [sending('trf_sent', 2), sending('trf_lacking', 50), sending('trf_unknown', 1, 'NONE')]);
  await ask('transfer_apply', [{ step: 'ship', ...moving('trf_sent', 'ship') }]);
  const tables = await sql<{ name: string }[]>`select relname as name from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  for (const { name } of tables)
    expect(await sql`select ${name} as "table" from ${sql(name)} limit 1`).toEqual([{ table: name }]);
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
