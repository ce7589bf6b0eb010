/** Counts the sessions that work on the ledger now, and those among them that wait for a lock. */
import type { Sql } from '../postgres/client.js';

export interface LockSample {
  readonly working: number;
  /** Of the working sessions, those that wait for the lock of another. */
  readonly waiting: number;
}

/**
 * Counts the sessions of this database that run a function which changes stock. It only reads the list of sessions:
 * it takes no lock and delays nobody.
 */
export async function sampleLedgerSessions(sql: Sql): Promise<LockSample> {
  const [sample] = await sql<LockSample[]>`
    select count(*)::int as working, (count(*) filter (where wait_event_type = 'Lock'))::int as waiting
      from pg_stat_activity
     where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
       and query ~ 'select (stock|order|transfer)_apply|select purchase_order_deliver'`;
  return sample ?? { working: 0, waiting: 0 };
}
