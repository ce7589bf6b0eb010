/** A step reads only the rows it needs, however large the tables are. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOrderStore } from '../../../db/orders/store.js';
import { createTransferStore } from '../../../db/transfers/store.js';
import { Books, otherLocation } from '../books.js';
import { orderOpening } from './opening.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const rolledBack = new Error('rolled back');

/**
 * The rows that a call reads from these tables, by index and by sequential scan. Rolls the call back. Uses a new connection,
 * because Postgres also counts what a connection read in the second before.
 */
async function readsOf(call: string, steps: readonly object[], tables: readonly string[]) {
  let read: unknown;
  const connection = books.another();
  try {
    await connection.sql.begin(async (tx) => {
      await tx.unsafe(`select ${call}($1::text::jsonb)`, [JSON.stringify(steps)]);
      read = await tx`
        select relname as "table", idx_scan > 0 as "byIndex", seq_tup_read::int as "whole", idx_tup_fetch::int as "fetched"
          from pg_stat_xact_user_tables where relname = any (${tables as string[]}) order by relname`;
      throw rolledBack;
    });
  } catch (error) {
    if (error !== rolledBack) throw error;
  } finally {
    await connection.close();
  }
  return read;
}

/** Tells Postgres that the tables are not empty, as autovacuum does in operation. */
const analyze = (...tables: readonly string[]) => books.sql.unsafe(`analyze ${tables.join(', ')}`);

/** Fetched: each step's own row a few times, never other rows. */
const few = expect.toSatisfy((rows: number) => rows < 20);

test('a step of an order finds the order and its key by index', async () => {
  const sku = await books.newSku(400);
  const store = createOrderStore(books.sql);
  const openings = Array.from({ length: 300 }, () => orderOpening([{ sku, quantity: 1 }]));
  const opened = await Promise.all(openings.map((opening) => store.apply(opening)));
  expect(opened.every(({ outcome }) => outcome === 'done')).toBe(true);
  await analyze('orders', 'order_steps');
  const orderId = openings[0]?.orderId;
  const step = { step: 'note', key: randomUUID(), orderId, actor: 'test', traceId: '', reason: 'seen' };
  expect(await readsOf('order_apply', [step], ['orders', 'order_steps'])).toEqual([
    { table: 'order_steps', byIndex: true, whole: 0, fetched: few },
    { table: 'orders', byIndex: true, whole: 0, fetched: few },
  ]);
});

test('a step of a transfer finds the transfer and its key by index', async () => {
  const sku = await books.newSku(400);
  const store = createTransferStore(books.sql);
  const openings = Array.from({ length: 300 }, () => {
    const transferId = `trf_${randomUUID()}`;
    const names = { key: `${transferId}/open`, transferId, workflowId: `transfer/${transferId}` };
    const goods = { sku, quantity: 1, from: 'main', to: otherLocation, reservationId: `rsv_${randomUUID()}` };
    return { ...names, ...goods, step: 'open', mode: 'shipped', actor: 'test', traceId: '' } as const;
  });
  const opened = await Promise.all(openings.map((opening) => store.apply(opening)));
  expect(opened.every(({ outcome }) => outcome === 'done')).toBe(true);
  await analyze('transfers', 'transfer_steps');
  const transferId = openings[0]?.transferId;
  const step = { step: 'ship', key: randomUUID(), transferId, actor: 'test', traceId: '' };
  expect(await readsOf('transfer_apply', [step], ['transfers', 'transfer_steps'])).toEqual([
    { table: 'transfer_steps', byIndex: true, whole: 0, fetched: few },
    { table: 'transfers', byIndex: true, whole: 0, fetched: few },
  ]);
});
