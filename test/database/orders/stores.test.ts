/** What the stores read: as much of the tables as a batch is about, however much there is. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { Books } from '../books.js';

const shop = sharedShop();
let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const rolledBack = new Error('rolled back');

/** The rows of these tables that a call has read without an index. Its changes are rolled back. */
async function readsWhole(call: string, steps: readonly object[], tables: readonly string[]) {
  let read: unknown;
  await books.sql
    .begin(async (tx) => {
      await tx.unsafe(`select ${call}($1::text::jsonb)`, [JSON.stringify(steps)]);
      read = await tx`
        select relname as "table", idx_scan > 0 as "byIndex", seq_tup_read::int as "whole", idx_tup_fetch::int as "fetched"
          from pg_stat_xact_user_tables where relname = any (${tables as string[]}) order by relname`;
      throw rolledBack;
    })
    .catch((error: unknown) => {
      if (error !== rolledBack) throw error;
    });
  return read;
}

/** Fetched: each step's own row, a few times; not the rows of others. */
const few = expect.toSatisfy((rows: number) => rows < 20);

test('a step of an order finds the order and its key by index', async () => {
  const sku = await shop.product(200);
  await Promise.all(Array.from({ length: 30 }, () => shop.reserved(sku)));
  const orderId = await shop.reserved(sku);
  const step = { step: 'note', key: randomUUID(), orderId, actor: 'test', traceId: '', reason: 'seen' };
  expect(await readsWhole('order_apply', [step], ['orders', 'order_steps'])).toEqual([
    { table: 'order_steps', byIndex: true, whole: 0, fetched: few },
    { table: 'orders', byIndex: true, whole: 0, fetched: few },
  ]);
});

test('a step of a transfer finds the transfer and its key by index', async () => {
  const sku = await shop.product(100);
  const to = `W-${randomUUID().slice(0, 8)}`;
  await shop.must(201, shop.post('/api/locations', { code: to, name: 'West' }));
  const move = { sku, quantity: 1, from: 'main', to };
  await Promise.all(Array.from({ length: 30 }, () => shop.must(201, shop.post('/api/transfers', move))));
  const { body } = await shop.must(201, shop.post('/api/transfers', { ...move, mode: 'shipped' }));
  const step = { step: 'receive', key: randomUUID(), transferId: body.id, actor: 'test', traceId: '', quantity: 1 };
  expect(await readsWhole('transfer_apply', [step], ['transfers', 'transfer_steps'])).toEqual([
    { table: 'transfer_steps', byIndex: true, whole: 0, fetched: few },
    { table: 'transfers', byIndex: true, whole: 0, fetched: few },
  ]);
});
