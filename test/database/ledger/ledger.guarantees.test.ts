import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeCursor } from '../../../db/postgres/page.js';
import { inventoryAt, inventoryNow, listMovements } from '../../../db/stock/inventory.js';
import { Books, newHoldId, operation, otherLocation } from '../books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const refusedBy = (code: string) => expect.objectContaining({ code });

describe('the database itself', () => {
  test('refuses to rewrite the ledger', async () => {
    const sku = await books.newSku(3);
    const { sql } = books;
    await expect(sql`update stock_ledger set on_hand_delta = 4 where sku = ${sku}`).rejects.toEqual(refusedBy('23001'));
    await expect(sql`delete from stock_ledger where sku = ${sku}`).rejects.toEqual(refusedBy('23001'));
    await expect(sql`truncate stock_ledger`).rejects.toEqual(refusedBy('23001'));
    expect((await listMovements(sql, { sku, location: null, limit: 9, cursor: null }))?.items).toHaveLength(1);
  });

  test('refuses a level below zero, and more reserved than on hand', async () => {
    const sku = await books.newSku(3);
    const { sql } = books;
    await expect(sql`update stock_levels set on_hand = -1 where sku = ${sku}`).rejects.toEqual(refusedBy('23514'));
    await expect(sql`update stock_levels set reserved = -1 where sku = ${sku}`).rejects.toEqual(refusedBy('23514'));
    await expect(sql`update stock_levels set reserved = 4 where sku = ${sku}`).rejects.toEqual(refusedBy('23514'));
    await expect(
      sql`insert into stock_ledger (sku, location, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                                    operation_key, actor, at)
          values (${sku}, 'main', 'reserved', 0, 4, 3, 4, 'k', 'test', now())`,
    ).rejects.toEqual(refusedBy('23514'));
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 3, reserved: 0 }]);
  });

  test('refuses to decide a hold twice', async () => {
    const sku = await books.newSku(3);
    const id = await books.hold(sku, 2);
    await books.do({ kind: 'confirm', reservationId: id });
    await expect(books.sql`update reservations set status = 'cancelled' where id = ${id}`).rejects.toEqual(
      refusedBy('23001'),
    );
  });
});

describe('an operation', () => {
  test('is done as a whole or not at all, and the rest of the batch is done', async () => {
    const sku = await books.newSku(5);
    const take = (quantity: number) => ({ kind: 'consume', sku, location: 'main', quantity }) as const;
    const results = await books.apply([
      operation([take(1)]),
      operation([take(2), { kind: 'receive', sku, location: otherLocation, quantity: 9 }, take(3)]),
      operation([take(3)]),
    ]);
    expect(results.map((result) => result.outcome)).toEqual(['done', 'refused', 'done']);
    expect(results[1]).toMatchObject({
      refusal: { code: 'insufficient_stock', command: 2, sku, location: 'main', available: 2, requested: 3 },
    });
    expect((await books.levels(sku)).filter((level) => level.onHand > 0)).toEqual([
      { location: 'main', onHand: 1, reserved: 0 },
    ]);
  });

  test('that was refused stays refused under its key, and is decided anew under another', async () => {
    const sku = await books.newSku(1);
    const take = { kind: 'consume', sku, location: 'main', quantity: 2 } as const;
    const first = operation([take], `${sku}/1`);
    const [refused] = await books.apply([first]);
    await books.do({ kind: 'receive', sku, location: 'main', quantity: 9 });
    expect(await books.apply([first, operation([take], `${sku}/2`), first])).toMatchObject([
      { ...refused, replayed: true },
      { outcome: 'done', replayed: false },
      { ...refused, replayed: true },
    ]);
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 8, reserved: 0 }]);
  });

  test('cannot hold or receive goods at a virtual location', async () => {
    const sku = await books.newSku();
    await books.do({ kind: 'transfer_in', sku, location: 'transit', quantity: 5 });
    for (const kind of ['receive', 'return', 'consume'] as const)
      expect(await books.do({ kind, sku, location: 'transit', quantity: 1 })).toMatchObject({
        outcome: 'refused',
        refusal: { code: 'unknown_location', command: 0, location: 'transit' },
      });
    const reservationId = newHoldId();
    expect(
      await books.do({ kind: 'reserve', reservationId, sku, location: 'transit', quantity: 1, holdSeconds: null }),
    ).toMatchObject({ outcome: 'refused', refusal: { code: 'unknown_location' } });
    expect(await inventoryNow(books.sql, sku, null)).toMatchObject({
      onHand: 0,
      available: 0,
      inTransit: 5,
      locations: [],
    });
  });
});

describe('a hold', () => {
  test('that has expired cannot be confirmed, swept or not, and returns its goods once', async () => {
    const sku = await books.newSku(5);
    const id = await books.hold(sku, 4, 0.05);
    await sleep(100);
    const refused = {
      outcome: 'refused',
      refusal: { code: 'reservation_decided', reservationId: id, status: 'expired' },
    };
    expect(await books.do({ kind: 'confirm', reservationId: id })).toMatchObject(refused);
    expect(await books.do({ kind: 'hold', reservationId: id, holdSeconds: 60 })).toMatchObject(refused);
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 5, reserved: 4 }]);

    expect(await books.do({ kind: 'expire', reservationId: id })).toMatchObject({
      movements: [{ kind: 'expired', reservedDelta: -4 }],
      reservations: [{ id, status: 'expired', quantity: 4 }],
    });
    expect(await books.do({ kind: 'expire', reservationId: id })).toMatchObject({ outcome: 'done', movements: [] });
    expect(await books.do({ kind: 'confirm', reservationId: id })).toMatchObject(refused);
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 5, reserved: 0 }]);
  });

  test('that has time left does not expire, and its expiry can be removed', async () => {
    const sku = await books.newSku(5);
    const id = await books.hold(sku, 4, 60);
    expect(await books.do({ kind: 'expire', reservationId: id })).toMatchObject({
      outcome: 'done',
      movements: [],
      reservations: [{ id, status: 'pending' }],
    });
    const state = await books.do({ kind: 'hold', reservationId: id, holdSeconds: null });
    expect(state).toMatchObject({ outcome: 'done', movements: [], reservations: [{ id, expiresAt: null }] });
    expect(await books.do({ kind: 'confirm', reservationId: id })).toMatchObject({
      movements: [{ kind: 'confirmed', onHandDelta: -4, reservedDelta: -4, onHandAfter: 1, reservedAfter: 0 }],
    });
  });

  test("under an existing id is the caller's error and makes no second hold", async () => {
    const sku = await books.newSku(5);
    const id = await books.hold(sku, 2);
    const again = {
      kind: 'reserve',
      reservationId: id,
      sku,
      location: 'main',
      quantity: 1,
      holdSeconds: null,
    } as const;
    await expect(books.do(again)).rejects.toThrow();
    await expect(books.do({ kind: 'hold', reservationId: id, holdSeconds: 9 }, again)).rejects.toThrow();
    expect(await books.levels(sku)).toEqual([{ location: 'main', onHand: 5, reserved: 2 }]);
  });
});

describe('time', () => {
  test("strictly rises over one level's rows, whatever the clock does", async () => {
    const sku = await books.newSku(100);
    // In one transaction, so that no other session sees inconsistent books.
    const connection = await books.sql.reserve();
    await connection`begin`;
    await connection`update stock_levels set changed_at = now() + interval '1 hour' where sku = ${sku}`;
    const take = () => operation([{ kind: 'consume', sku, location: 'main', quantity: 1 }]);
    await books.apply(Array.from({ length: 50 }, take), connection);
    await connection`commit`;
    connection.release();
    const [rows] = await books.sql<{ steps: string[] }[]>`
      select array_agg(extract(epoch from step)::text) as steps
        from (select at - lag(at) over (order by id) as step from stock_ledger where sku = ${sku}) s where step is not null`;
    expect(rows?.steps).toHaveLength(50);
    expect(Number(rows?.steps[0])).toBeGreaterThan(3500);
    expect(new Set(rows?.steps.slice(1))).toEqual(new Set(['0.000001']));
  });

  test('gives the stock at any past moment, at one location and at all', async () => {
    const sku = await books.newSku();
    const moments: string[] = [];
    const moment = async () => {
      const [row] = await books.sql<{ at: string }[]>`select rfc3339(clock_timestamp()) as at`;
      moments.push(row?.at ?? '');
    };
    await moment();
    await books.do({ kind: 'receive', sku, location: 'main', quantity: 10 });
    await moment();
    const id = await books.hold(sku, 4);
    await books.do({ kind: 'receive', sku, location: otherLocation, quantity: 7 });
    await moment();
    await books.do({ kind: 'confirm', reservationId: id });
    await moment();

    const stood = await Promise.all(moments.map((at) => inventoryAt(books.sql, sku, null, at)));
    expect(stood.map((stock) => [stock?.onHand, stock?.reserved, stock?.available])).toEqual([
      [0, 0, 0],
      [10, 0, 10],
      [17, 4, 13],
      [13, 0, 13],
    ]);
    expect(await inventoryAt(books.sql, sku, 'main', moments[2] ?? '')).toMatchObject({ onHand: 10, reserved: 4 });
    expect(await inventoryAt(books.sql, 'no-such-product', null, moments[2] ?? '')).toBeNull();
  });

  test('is found in the ledger by its index alone', async () => {
    const [plan] = await books.sql.begin(async (sql) => {
      await sql`set local enable_seqscan = off`; // a young table may be read whole
      return sql<{ 'QUERY PLAN': { Plan: unknown }[] }[]>`
        explain (format json) select on_hand_after from stock_ledger
         where sku = 'x' and location = 'main' and at <= now() order by at desc limit 1`;
    });
    expect(plan?.['QUERY PLAN']).toMatchObject([
      { Plan: { 'Node Type': 'Limit', Plans: [{ 'Node Type': 'Index Scan', 'Index Name': 'stock_ledger_history' }] } },
    ]);
  });

  test("lists a product's movements newest first, page by page, each once", async () => {
    const sku = await books.newSku(1);
    for (let n = 0; n < 6; n++)
      await books.do(
        { kind: 'receive', sku, location: 'main', quantity: 1 },
        { kind: 'receive', sku, location: otherLocation, quantity: 1 },
      );
    const seen: string[] = [];
    let cursor = null;
    for (let pages = 0; pages < 9; pages++) {
      const page = await listMovements(books.sql, { sku, location: null, limit: 5, cursor });
      seen.push(...(page?.items ?? []).map((movement) => movement.id));
      if (!page?.nextCursor) break;
      cursor = decodeCursor('movements', page.nextCursor);
    }
    const rows = await books.sql<{ id: string }[]>`
      select 'mov_' || id as id from stock_ledger where sku = ${sku} order by at desc, 'mov_' || id desc`;
    expect(seen).toEqual(rows.map((row) => row.id));
    expect(seen).toHaveLength(13);
  });
});
