/** Records that are only needed for a time: payments that count towards limits, attempts that rules count, subscriptions' steps. */
import type { Sql } from '../postgres/client.js';

/** Deletes up to `limit` old rows of each table. Returns whether there may be more. */
export async function deleteOldRecords(sql: Sql, limit: number): Promise<boolean> {
  const [row] = await sql<{ more: number }[]>`select old_records_delete(${limit}) as more`;
  return (row?.more ?? 0) > 0;
}
