/** Records that are only needed for a time are deleted after it, but not those of payments in flight. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteOldRecords } from '../../../db/access/retention.js';
import { Books } from '../books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

test('what limits, rules and steps need no more is deleted after 90 days, except of a payment in flight', async () => {
  const { sql } = books;
  const run = randomUUID();
  for (const [name, days] of [
    ['old', 91],
    ['pending', 91],
    ['recent', 89],
  ] as const) {
    const id = `${name}-${run}`;
    const at = new Date(Date.now() - days * 86_400_000).toISOString();
    await sql`insert into customer_spend (payment_id, customer_id, amount, currency, at) values (${id}, ${run}, 1, 'USD', ${at})`;
    await sql`insert into payment_attempts (payment_id, card, amount, currency, rules, at)
              values (${id}, 'primary', 1, 'USD', '{big}', ${at})`;
    await sql`insert into subscription_steps (key, subscription_id, result, at) values (${id}, ${run}, '{"outcome":"done"}', ${at})`;
  }
  await sql`insert into payments (id, status, amount, currency) values (${`pending-${run}`}, 'pending', 1, 'USD')`;
  for (let round = 0; (await deleteOldRecords(sql, 1)) && round < 100; round++);
  const left = await sql<{ what: string; name: string }[]>`
    select 'spend' as what, split_part(payment_id, '-', 1) as name from customer_spend where payment_id like ${`%${run}`}
    union all select 'attempt', split_part(payment_id, '-', 1) from payment_attempts where payment_id like ${`%${run}`}
    union all select 'step', split_part(key, '-', 1) from subscription_steps where key like ${`%${run}`}`;
  expect(left.map(({ what, name }) => `${what} ${name}`).sort()).toEqual([
    ...['attempt pending', 'attempt recent', 'spend pending', 'spend recent', 'step recent'],
  ]);
});

test('old records are found by index', async () => {
  // A session that has scanned nothing before.
  const session = books.another();
  const scans = await session.sql.begin(async (sql) => {
    await sql`set local enable_seqscan = off`;
    await sql`select old_records_delete(10)`;
    return sql<{ seq: number; index: number }[]>`
      select seq_scan::int as seq, idx_scan::int as index from pg_stat_xact_user_tables
       where relname = any (array['customer_spend', 'payment_attempts', 'subscription_steps'])`;
  });
  await session.close();
  expect(scans).toHaveLength(3);
  for (const { seq, index } of scans) expect([seq, index > 0]).toEqual([0, true]);
});
