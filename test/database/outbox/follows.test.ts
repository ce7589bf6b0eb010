import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { queueMissedLevels } from '../../../db/stock/low-levels.js';
import type { StockCommand } from '../../../domain/stock.js';
import { eventually } from '../../shop.js';
import { type QuietBooks, quietBooks } from './books.js';

let books: QuietBooks;
beforeAll(async () => {
  books = await quietBooks();
});
beforeEach(async () => {
  await books.take();
});
afterAll(() => books?.close());

const consume = (sku: string, quantity: number): StockCommand => ({ kind: 'consume', sku, location: 'main', quantity });
const receive = (sku: string, quantity: number, location = 'main'): StockCommand => ({
  kind: 'receive',
  sku,
  location,
  quantity,
});
const topics = async () => (await books.take()).map(({ topic }) => topic);
const low = (sku: string, location = 'main') => ({ topic: 'replenish', payload: { sku, location } });

describe('a change of on hand', () => {
  it('that leaves more than the reorder point triggers nothing', async () => {
    const sku = await books.product(10, 5);
    await books.apply([consume(sku, 4)]);
    expect(await books.take()).toEqual([]);
  });

  it('that reaches the reorder point requests a replenishment, and notifies the managers on crossing it', async () => {
    const sku = await books.product(10, 5);
    await books.apply([consume(sku, 5)]);
    expect(await books.take()).toMatchObject([
      low(sku),
      {
        topic: 'notice',
        payload: { template: 'low_stock', sku, location: 'main', onHand: 5, reorderPoint: 5 },
      },
    ]);
    await books.apply([consume(sku, 1)]);
    expect(await books.take()).toMatchObject([low(sku)]);
  });

  it('is judged by the result of the whole operation', async () => {
    const sku = await books.product(10, 5);
    await books.apply([consume(sku, 8), receive(sku, 8)]);
    expect(await books.take()).toEqual([]);
    await books.apply([consume(sku, 3), consume(sku, 3)]);
    expect(await topics()).toEqual(['replenish', 'notice']);
  });

  it('of a refused operation triggers nothing', async () => {
    const sku = await books.product(10, 5);
    await expect(books.apply([consume(sku, 8), consume(sku, 3)])).rejects.toThrow('insufficient_stock');
    expect(await books.take()).toEqual([]);
  });

  it('waits in one row, however often it happens, until a relay has seen it', async () => {
    const sku = await books.product(10, 9);
    await Promise.all(Array.from({ length: 5 }, () => books.apply([consume(sku, 1)])));
    const { sql } = books.connection;
    const rows = () => sql`select from outbox where topic = 'replenish' and sku = ${sku}`.then(({ length }) => length);
    expect(await rows()).toBe(1);
    await sql`update outbox set claimed_until = clock_timestamp() where sku = ${sku}`;
    await books.apply([consume(sku, 1)]);
    await books.apply([consume(sku, 1)]);
    expect(await rows()).toBe(2);
  });

  it('requests no replenishment of a product without a supplier, but notifies the managers', async () => {
    const sku = await books.product(10, 5);
    await books.connection.sql`update products set supplier_id = null where sku = ${sku}`;
    await books.apply([consume(sku, 6)]);
    expect(await topics()).toEqual(['notice']);
  });

  it('requests no replenishment of an archived product, but notifies the managers', async () => {
    const sku = await books.product(10, 5);
    await books.connection.sql`update products set status = 'archived' where sku = ${sku}`;
    await books.apply([consume(sku, 6)]);
    expect(await topics()).toEqual(['notice']);
  });

  it('in transit never counts as low stock', async () => {
    const sku = await books.product(10, 5);
    await books.apply([
      { kind: 'transfer_out', sku, location: 'main', quantity: 2 },
      { kind: 'transfer_in', sku, location: 'transit', quantity: 2 },
    ]);
    expect(await books.take()).toEqual([]);
  });

  it('is announced to the warehouse once if it moves more than the limit', async () => {
    const sku = await books.product(100, 0);
    const key = randomUUID();
    await books.apply([consume(sku, 10)], { announceAbove: 10 });
    await books.apply([consume(sku, 50)]);
    expect(await books.take()).toEqual([]);
    await books.apply([consume(sku, 6), receive(sku, 5)], { announceAbove: 10, key });
    await books.apply([consume(sku, 6), receive(sku, 5)], { announceAbove: 10, key });
    expect(await books.take()).toMatchObject([
      {
        topic: 'notice',
        payload: {
          template: 'large_movement',
          movements: [
            { sku, onHandDelta: -6 },
            { sku, onHandDelta: 5 },
          ],
        },
      },
    ]);
  });
});

describe('the relays', () => {
  it('are woken by each commit that has something for them, with its topic, and by no other', async () => {
    const sku = await books.product(100, 5);
    const heard: string[] = [];
    const { unlisten } = await books.connection.sql.listen('outbox', (what) => heard.push(what));
    const wakes = async (work: () => Promise<unknown>) => {
      heard.length = 0;
      await work();
      // Notifications arrive in order, so earlier ones are here by now.
      await books.connection.sql`select pg_notify('outbox', 'end')`;
      await eventually('the end', async () => heard.includes('end'));
      return heard.filter((what) => what !== 'end').sort();
    };
    expect(await wakes(() => books.apply([consume(sku, 10)], { announceAbove: 10 }))).toEqual([]);
    expect(await wakes(() => books.apply([consume(sku, 11)], { announceAbove: 10 }))).toEqual(['notice']);
    expect(await wakes(() => books.apply([consume(sku, 74)]))).toEqual(['notice', 'replenish']);
    await books.take();
    expect(await wakes(() => books.apply([consume(sku, 1)]))).toEqual(['replenish']);
    await books.take();
    const raised = books.connection.sql`update products set reorder_point = 6 where sku = ${sku}`;
    expect(await wakes(() => raised)).toEqual(['replenish']);
    await books.take();
    expect(await wakes(() => queueMissedLevels(books.connection.sql, 0))).toEqual(['replenish']);
    await unlisten();
  });
});

describe('a reorder point raised above the stock on hand', () => {
  it('requests a replenishment', async () => {
    const sku = await books.product(10, 5);
    const { sql } = books.connection;
    await sql`update products set reorder_point = 9 where sku = ${sku}`;
    expect(await books.take()).toEqual([]);
    await sql`update products set reorder_point = 10 where sku = ${sku}`;
    expect(await books.take()).toMatchObject([low(sku)]);
  });
});

describe('the sweep', () => {
  it('orders nothing for a product that was only created: importing a catalogue triggers nothing', async () => {
    const { sql } = books.connection;
    await sql`update products set reorder_point = null`;
    const sku = await books.product(0, 3);
    await sql`update products set created_at = created_at - interval '1 d', name = 'Renamed', supplier_price_amount = 41
               where sku = ${sku}`;
    expect(await queueMissedLevels(sql, 3600)).toBe(0);
    expect(await books.take()).toEqual([]);
  });

  it('finds a product that never had stock once its reorder point changes, after time for a first receipt', async () => {
    const { sql } = books.connection;
    await sql`update products set reorder_point = null`;
    const sku = await books.product(0, 3);
    await sql`update products set reorder_point = 4 where sku = ${sku}`;
    await books.take();
    expect(await queueMissedLevels(sql, 3600)).toBe(0);
    await sql`update low_levels set marked_at = marked_at - interval '61 s'`;
    expect(await queueMissedLevels(sql, 3600)).toBe(1);
    expect(await books.take()).toMatchObject([low(sku)]);
  });

  it('finds such a product even after a refused operation at another location', async () => {
    const { sql } = books.connection;
    await sql`update products set reorder_point = null`;
    await sql`insert into locations (code, name, created_by) values ('refused-east', 'East', 'test') on conflict do nothing`;
    const sku = await books.product(0, 3);
    await sql`update products set reorder_point = 4 where sku = ${sku}`;
    const adjust = { kind: 'adjust', sku, location: 'refused-east', delta: -1 } as const;
    await expect(books.apply([adjust])).rejects.toThrow('insufficient_stock');
    await sql`update low_levels set marked_at = marked_at - interval '61 s'`;
    await books.take();
    expect(await queueMissedLevels(sql, 3600)).toBe(1);
    expect(await books.take()).toMatchObject([low(sku)]);
  });

  it('keeps a recent mark, since a sale it cannot see may still be open', async () => {
    const { sql } = books.connection;
    await sql`update products set reorder_point = null`;
    const sku = await books.product(3, 3);
    await books.apply([receive(sku, 5)]);
    await queueMissedLevels(sql, 3600);
    expect(await sql`select from low_levels where sku = ${sku}`).toHaveLength(1);
  });

  it('forgets a refilled level, and keeps one that changes while it looks', async () => {
    const { sql } = books.connection;
    await sql`update products set reorder_point = null`;
    const sku = await books.product(3, 3);
    const marks = () => sql`select from low_levels where sku = ${sku}`.then(({ length }) => length);
    await books.apply([receive(sku, 5)]);
    expect(await marks()).toBe(1);
    const age = () => sql`update low_levels set marked_at = marked_at - interval '61 s'`;
    await age();
    await sql.begin(async (change) => {
      await change`update low_levels set marked_at = clock_timestamp() where sku = ${sku}`;
      await queueMissedLevels(books.another().sql, 3600);
    });
    expect(await marks()).toBe(1);
    await age();
    await queueMissedLevels(sql, 3600);
    expect(await marks()).toBe(0);
    await books.apply([consume(sku, 6)]);
    expect(await marks()).toBe(1);
    await books.take();
    expect(await queueMissedLevels(sql, 3600)).toBe(1);
  });

  it('finds exactly the low levels that nothing else handles', async () => {
    const { sql } = books.connection;
    await sql`update products set reorder_point = null`;
    const [lost, waiting, running, failed, covered, plenty] = await Promise.all(
      Array.from({ length: 6 }, () => books.product(3, 3)),
    );
    await books.take();
    await sql`insert into outbox (topic, sku, dedup_key, payload)
              values ('replenish', ${waiting ?? ''}, 'w', ${JSON.stringify({ sku: waiting, location: 'main' })}::text::jsonb)`;
    await replenishment(running, 'running');
    await replenishment(failed, 'failed');
    await sql`insert into purchase_orders (id, supplier_id, supplier_order_id, status, sku, location, quantity,
                unit_price_amount, unit_price_currency, replenishment_id)
              values (${randomUUID()}, 'acme', 's', 'ordered', ${covered ?? ''}, 'main', 1, 1, 'USD', 'r')`;
    await books.apply([receive(plenty ?? '', 1)]);
    await sql`delete from outbox where dedup_key <> 'w'`;

    expect(await queueMissedLevels(sql, 3600)).toBe(1);
    expect((await books.take()).filter(({ payload }) => payload.sku !== waiting)).toMatchObject([low(lost ?? '')]);
    await sql`update replenishments set updated_at = updated_at - interval '2 h' where status = 'failed'`;
    await queueMissedLevels(sql, 3600);
    const found = (await books.take()).map(({ payload }) => payload.sku).sort();
    expect(found).toEqual([lost, waiting, failed].sort());
    await sql`update suppliers set active = false`;
    expect(await queueMissedLevels(sql, 3600)).toBe(0);
    await sql`update suppliers set active = true`;
  });
});

async function replenishment(sku: string | undefined, status: string): Promise<void> {
  await books.connection.sql`
    insert into replenishments (id, sku, location, status, quantity, supplier_id, unit_price_amount, unit_price_currency)
    values (${randomUUID()}, ${sku ?? ''}, 'main', ${status}, 1, 'acme', 1, 'USD')`;
}
