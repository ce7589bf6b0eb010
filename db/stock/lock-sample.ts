/** How many sessions work on the ledger at this instant, and how many of them wait for a lock instead. */
import type { Sql } from '../postgres/client.js';

export interface LockSample {
  readonly working: number;
  /** Of those that work: held up by the lock of another. */
  readonly waiting: number;
}

/**
 * Looks at all sessions of this database that carry out one of the functions that change stock. A look costs what reading
 * the list of sessions costs; it takes no lock and holds up nobody.
 */
export async function sampleLedgerSessions(sql: Sql): Promise<LockSample> {
  const [sample] = await sql<LockSample[]>`
    select count(*)::int as working, (count(*) filter (where wait_event_type = 'Lock'))::int as waiting
      from pg_stat_activity
     where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
       and query ~ 'select (stock|order|transfer)_apply|select purchase_order_deliver'`;
  return sample ?? { working: 0, waiting: 0 };
}
