import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../../db/upgrade/migrate.js';
import { orderStatuses, orderTransitions } from '../../../domain/orders/states.js';
import { type Scratch, scratchDatabase } from '../scratch.js';

let scratch: Scratch;
beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch?.drop());

test('any number of processes can migrate at once, and again, and the tables match the domain', async () => {
  const { url, sql } = scratch;
  await Promise.all([1, 2, 3, 4].map(() => migrate(url)));
  await migrate(url);

  expect(await sql`select code, virtual from locations order by code`).toEqual([
    { code: 'main', virtual: false },
    { code: 'transit', virtual: true },
  ]);
  const rows = await sql<{ way: string }[]>`select from_status || ' ' || to_status as way from order_transitions`;
  const ways = orderStatuses.flatMap((from) => orderTransitions[from].map((to) => `${from} ${to}`));
  expect(rows.map((row) => row.way).sort()).toEqual(ways.sort());

  await sql`insert into orders (id, status, workflow_id, created_at, updated_at)
              values ('ord_1', 'reserved', 'order/ord_1', now(), now())`;
  await expect(sql`update orders set status = 'refunded'`).rejects.toMatchObject({ code: '23514' });
  await sql`update orders set status = 'confirming'`;
});
