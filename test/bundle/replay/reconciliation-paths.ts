/** Every path of a reconciliation of payments. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { eventually, type Shop } from '../../shop.js';
import type { Path } from './path.js';

/** Longer than two heartbeats are apart. */
const heartbeatsMs = 8000;
const path = '/api/payments/reconciliations';
const window = { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' };

export const reconciliationPaths: readonly Path[] = [
  {
    name: 'reconciliation-completed',
    walk: async (shop) => {
      const { body } = await shop.must(201, shop.post(path, window, { prefer: 'wait=30' }));
      return `reconciliation/${body.id}`;
    },
  },
  {
    name: 'reconciliation-cancelled',
    walk: async (shop, { cancel, databaseUrl }) => {
      const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
      try {
        return await sql.begin(async (held) => {
          await held`lock table reconciliations in share mode`;
          const { body } = await shop.must(202, shop.post(path, window, { prefer: 'respond-async' }));
          await untilWaiting(held);
          await cancel(`reconciliation/${body.id}`);
          // The worker hears of it with a heartbeat, and stops after the statement that waits.
          await sleep(heartbeatsMs);
          return `reconciliation/${body.id}`;
        });
      } finally {
        await sql.end();
      }
    },
  },
  {
    name: 'nightly-reconciliation',
    walk: async (shop: Shop, { start }) => {
      const before = await count(shop);
      await start('nightlyReconciliation', 'nightly-reconciliation-recorded');
      await eventually('the nightly reconciliation', async () => (await count(shop)) > before);
      return 'nightly-reconciliation-recorded';
    },
  },
];

async function count(shop: Shop): Promise<number> {
  const { body } = await shop.must(200, shop.get(`${path}?limit=200`));
  return body.items.filter(({ status }: { status: string }) => status === 'completed').length;
}

/** Until the worker's first statement about it waits for the lock. */
async function untilWaiting(sql: postgres.TransactionSql): Promise<void> {
  await eventually('the worker to wait', async () => {
    const [row] = await sql`select from pg_locks where not granted and relation = 'reconciliations'::regclass limit 1`;
    return row !== undefined;
  });
}
