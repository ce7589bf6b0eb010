/** The steps of an order that lacks stock, called on the store itself: repeated, concurrently, and in one batch. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrderStore, type OrderStore } from '../../../db/orders/store.js';
import type { OrderStep, OrderStepResult } from '../../../domain/orders/steps.js';
import { Books } from '../books.js';
import { orderOpening, stepBy } from './opening.js';

let books: Books;
let store: OrderStore;
beforeAll(async () => {
  books = await Books.open();
  store = createOrderStore(books.sql);
  await books.sql`insert into suppliers (id, name, active, min_order_quantity, max_order_quantity, created_by)
                  values ('sup_books', 'Books', true, 1, 1000, 'books') on conflict do nothing`;
});
afterAll(() => books.close());

async function supplied(onHand: number): Promise<string> {
  const sku = await books.newSku(onHand);
  await books.sql`update products set supplier_id = 'sup_books' where sku = ${sku}`;
  return sku;
}

const opening = (sku: string, ...quantities: number[]) =>
  orderOpening(quantities.map((quantity) => ({ sku, quantity })));

function shortagesOf(result: OrderStepResult) {
  if (result.outcome !== 'done' || !result.shortages) throw new Error(`no shortage: ${JSON.stringify(result)}`);
  return result.shortages;
}

function restocking(opened: OrderStepResult, orderId: string, key = 'restock'): OrderStep {
  const [shortage] = shortagesOf(opened);
  if (!shortage) throw new Error('no shortage');
  const { line, quantity, reservationId } = shortage;
  const rest = { reference: 'sres_1', reason: 'came', holdSeconds: 900, confirming: false, payment: null };
  return { step: 'restock', ...stepBy(orderId, key), line, quantity, reservationId, ...rest };
}

const rows = async (sku: string): Promise<string[]> =>
  (
    await books.sql<{ kind: string; delta: number }[]>`
      select kind, (on_hand_delta + reserved_delta)::int as delta from stock_ledger where sku = ${sku} order by at`
  ).map(({ kind, delta }) => `${kind} ${delta}`);

describe('a step of an order that lacks stock', () => {
  test('restock receives and holds in one transaction, and a repetition with its key moves nothing', async () => {
    const sku = await supplied(3);
    const open = opening(sku, 5);
    const step = restocking(await store.apply(open), open.orderId);
    const another = createOrderStore(books.another().sql);
    const results = await Promise.all([store, another, store, another].map((each) => each.apply(step)));
    // The repetition returns the current order, and its expiry is unchanged.
    for (const { state, ...did } of results)
      expect({ ...did, state: { ...state, expiresInMs: 0 } }).toEqual({
        ...results[0],
        state: { ...results[0]?.state, expiresInMs: 0 },
      });
    expect(results[0]).toMatchObject({ outcome: 'done', state: { status: 'reserved' } });
    expect(await rows(sku)).toEqual(['received 3', 'reserved 3', 'received 2', 'cancelled -3', 'reserved 5']);
    const [made] = await books.sql<{ transactions: number }[]>`
      select count(distinct xmin::text)::int as transactions from stock_ledger
       where sku = ${sku} and operation_key like ${`${step.key}/%`}`;
    expect(made?.transactions).toBe(1);
  });

  test('restock with another key does nothing once the order is reserved', async () => {
    const sku = await supplied(0);
    const open = opening(sku, 2);
    const opened = await store.apply(open);
    await store.apply(restocking(opened, open.orderId));
    const again = await store.apply(restocking(opened, open.orderId, 'again'));
    expect(again).toMatchObject({ outcome: 'refused', refusal: { code: 'invalid_order_state' } });
    expect(await rows(sku)).toEqual(['received 2', 'reserved 2']);
  });

  test('restock of a closed order receives nothing', async () => {
    const sku = await supplied(1);
    const open = opening(sku, 2);
    const opened = await store.apply(open);
    const end = { to: 'cancelled', reason: 'late', failure: null, payment: null } as const;
    await store.apply({ step: 'close', ...stepBy(open.orderId, 'close'), ...end });
    const late = await store.apply(restocking(opened, open.orderId));
    expect(late).toMatchObject({ outcome: 'refused', state: { status: 'cancelled' } });
    expect(await rows(sku)).toEqual(['received 1', 'reserved 1', 'cancelled -1']);
  });

  test('open holds the available stock for its lines in order, and returns what each lacks', async () => {
    const sku = await supplied(5);
    const open = opening(sku, 3, 4, 1);
    const shortages = shortagesOf(await store.apply(open));
    expect(shortages.map(({ line, available, quantity }) => [line, available, quantity])).toEqual([
      [2, 2, 2],
      [3, 0, 1],
    ]);
    expect(await rows(sku)).toEqual(['received 5', 'reserved 3', 'reserved 2']);
  });

  test('open, repeated or of forty orders at once, never holds a unit twice', async () => {
    const sku = await supplied(50);
    const opens = Array.from({ length: 40 }, () => opening(sku, 3));
    const another = createOrderStore(books.another().sql);
    const results = await Promise.all(opens.flatMap((open) => [store.apply(open), another.apply(open)]));
    const lacking = results.flatMap((result) => (result.outcome === 'done' && result.shortages ? [result] : []));
    // 16 complete orders, one with 2 of 3, and 23 with nothing; each was opened twice.
    const lack = lacking.flatMap(shortagesOf).map(({ quantity }) => quantity);
    expect(lack.sort()).toEqual([1, 1, ...Array(46).fill(3)]);
    const [level] = await books.sql<
      { held: number }[]
    >`select reserved::int as held from stock_levels where sku = ${sku}`;
    expect(level?.held).toBe(50);
  });

  test("release frees the order's holds and keeps its status", async () => {
    const sku = await supplied(1);
    const open = opening(sku, 2);
    await store.apply(open);
    const step: OrderStep = { step: 'release', ...stepBy(open.orderId, 'release'), reason: 'a review is open' };
    for (const result of [await store.apply(step), await store.apply(step)])
      expect(result).toMatchObject({ outcome: 'done', state: { status: 'awaiting_restock' } });
    expect(await rows(sku)).toEqual(['received 1', 'reserved 1', 'cancelled -1']);
  });
});
