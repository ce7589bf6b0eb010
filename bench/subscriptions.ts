/**
 * Subscriptions that fall due in the same second: how long until all are paid, against as many empty workflows on the same
 * server in the same run. Real time: a timer of each workflow begins its charge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { Pool } from 'undici';
import { besideEmpty } from './empty.js';
import type { Row, Target } from './table.js';

const amount = 1000;
const clients = 16;
/** Long enough to make all of them before any is due. */
const leadMs = 180_000;
const patienceMs = 300_000;

export function benchSubscriptions(target: Target): Promise<Row[]> {
  return besideEmpty(target, async (runEmpty) => {
    await runEmpty(8, 200);
    const startAt = new Date(Math.ceil((Date.now() + leadMs) / 1000) * 1000);
    const customer = `bench-${startAt.getTime()}`;
    await subscribeAll(target, startAt, customer);
    const sql = postgres(target.databaseUrl, { max: 1, onnotice: () => undefined });
    try {
      if (Date.now() > startAt.getTime())
        throw new Error('making the subscriptions took longer than their start allows');
      await sleep(startAt.getTime() - Date.now());
      const seconds = await secondsUntilPaid(sql, startAt, customer);
      const charged = await chargesOf(sql, customer);
      const empty = await runEmpty(64, amount);
      return [
        {
          what: `${amount} empty workflows, 64 callers`,
          seconds: (amount / empty.perSecond).toFixed(1),
          ...rate(empty.perSecond),
        },
        {
          what: `${amount} subscriptions due in the same second`,
          seconds: seconds.toFixed(1),
          ...rate(amount / seconds),
          'of empty': (amount / seconds / empty.perSecond).toFixed(2),
          'charged twice': charged.twice,
          'never charged': amount - charged.once,
        },
      ];
    } finally {
      await sql.end();
    }
  });
}

const rate = (perSecond: number) => ({ 'per second': perSecond.toFixed(1) });

async function subscribeAll(target: Target, startAt: Date, customer: string): Promise<void> {
  const pool = new Pool(target.apiUrl, { connections: clients });
  const headers = { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' };
  const plan = { amount: 1000, currency: 'USD', interval: 'month' };
  let next = 0;
  const client = async () => {
    for (let index = next++; index < amount; index = next++) {
      const body = JSON.stringify({ customerId: `${customer}-${index}`, plan, cardToken: 'tok_visa', startAt });
      const answer = await pool.request({ path: '/api/subscriptions', method: 'POST', headers, body });
      const text = await answer.body.text();
      if (answer.statusCode !== 201) throw new Error(`a subscription was not made: ${answer.statusCode} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await pool.close();
}

async function secondsUntilPaid(sql: postgres.Sql, startAt: Date, customer: string): Promise<number> {
  for (;;) {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::int as left from subscriptions where customer_id like ${`${customer}-%`} and status <> 'active'`;
    const ms = Date.now() - startAt.getTime();
    if (row?.left === 0) return ms / 1000;
    if (ms > patienceMs) throw new Error(`${row?.left} subscriptions are still not paid`);
    await sleep(50);
  }
}

/** How many customers were charged, and how many of them more than once. */
async function chargesOf(sql: postgres.Sql, customer: string): Promise<{ once: number; twice: number }> {
  const [row] = await sql<{ once: number; twice: number }[]>`
    select count(*)::int as once, (count(*) filter (where charges > 1))::int as twice
      from (select count(*) as charges from payments
             where customer_id like ${`${customer}-%`} and status = 'captured' group by customer_id) as customers`;
  return row ?? { once: 0, twice: 0 };
}
