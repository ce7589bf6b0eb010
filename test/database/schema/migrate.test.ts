import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { migrate } from '../../../db/upgrade/migrate.js';
import { orderStatuses, orderTransitions } from '../../../domain/orders/states.js';
import { Books } from '../books.js';

const name = `migrate_${randomUUID().replaceAll('-', '')}`;
let books: Books;
beforeAll(async () => {
  books = await Books.open();
  await books.sql.unsafe(`create database ${name}`);
});
afterAll(async () => {
  await books.sql.unsafe(`drop database ${name} with (force)`);
  await books.close();
});

test('any number of processes may migrate at once, and again, and find what the domain says', async () => {
  const url = new URL(books.url);
  url.pathname = `/${name}`;
  await Promise.all([1, 2, 3, 4].map(() => migrate(url.href)));
  await migrate(url.href);

  const { sql, close } = connect(url.href, { applicationName: 'migrate', maxConnections: 1 });
  try {
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
  } finally {
    await close();
  }
});
