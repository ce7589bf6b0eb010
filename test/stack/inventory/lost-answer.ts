/** An API process that died between doing what it was asked and keeping its answer. */
import type { Sql } from '../../../db/postgres/client.js';

/** Leaves the key as that process would: it was taken, it fixes the ids of the call, and nobody is at work on it. */
export async function loseAnswer(sql: Sql, key: string): Promise<void> {
  const lost = await sql`
    update idempotency_keys set status = null, response = null, held_by = null if key = ${key} and status is not null`;
  if (lost.count !== 1) throw new Error(`${lost.count} answers are kept under ${key}`);
}
