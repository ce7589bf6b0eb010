/** A database of the release before functions were files: its migrations, its data in every table, and steps to take in it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { expect } from 'vitest';
import { definerFunctions, secureDefiners } from '../../../db/upgrade/roles.js';
import type { OrderStep, PaymentRecord } from '../../../domain/orders/steps.js';
import type { TransferStep } from '../../../domain/transfers/steps.js';

/** The last migration of that release. */
const lastOfThen = '0012_present_transfers';

const by = (orderId: string, name: string) =>
  ({ key: `order/${orderId}/${name}`, orderId, actor: 'test', traceId: '' }) as const;
export const opening = (orderId: string, sku: string, quantity: number): OrderStep => ({
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
export const confirming = (orderId: string): OrderStep => ({
  step: 'begin_confirm',
  ...by(orderId, 'confirm'),
  payment: { paymentId: `pay_${orderId}`, choice: { cardToken: 'tok_visa' } },
});
export const settling = (orderId: string): OrderStep => ({
  step: 'settle',
  ...by(orderId, 'settle'),
  payment: paymentOf(orderId),
  mails: [{ template: 'receipt', paymentId: `pay_${orderId}` }],
});
export const moving = (transferId: string, name: string) =>
  ({ key: `${transferId}/${name}`, transferId, actor: 'test', traceId: '' }) as const;
export const sending = (transferId: string, quantity: number, sku = 'OLD'): TransferStep => ({
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

/** Applies that release's migrations to an empty database, as it did. */
export async function migrateAsThen(sql: postgres.Sql): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-migrations-'));
  try {
    cpSync(new URL('../../../db/migrations', import.meta.url), folder, { recursive: true });
    const file = join(folder, 'meta/_journal.json');
    const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(file, 'utf8'));
    journal.entries = journal.entries.filter(({ tag }) => tag <= lastOfThen);
    writeFileSync(file, JSON.stringify(journal));
    await runMigrations(drizzle(sql), { migrationsFolder: folder });
    const present = await sql<{ name: string }[]>`
      select name from unnest(${[...definerFunctions]}::text[]) as name where to_regprocedure(name) is not null`;
    await secureDefiners(
      sql,
      present.map(({ name }) => name),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Fills every table, with that release's own functions as far as they write it. */
export async function fill(sql: postgres.Sql): Promise<void> {
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
