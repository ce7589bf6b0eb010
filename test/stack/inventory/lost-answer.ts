/** Imitates an API process that died after acting and before storing its answer. */
import type { Sql } from '../../../db/postgres/client.js';

/** Leaves the key as that process would: taken, with the call's ids, and held by no process. */
export async function loseAnswer(sql: Sql, key: string): Promise<void> {
  const lost = await sql`
    update idempotency_keys set status = null, response = null, held_by = null where key = ${key} and status is not null`;
  if (lost.count !== 1) throw new Error(`${lost.count} answers are stored under ${key}`);
}
