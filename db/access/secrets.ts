/** Random secrets of this installation. */
import { randomBytes } from 'node:crypto';
import type { Sql } from '../postgres/client.js';

/** The secret of this name, 32 bytes in hex. The first process that asks makes it. */
export async function secretOf(sql: Sql, name: string): Promise<string> {
  const [row] = await sql<
    { secret: string }[]
  >`select secret_of(${name}, ${randomBytes(32).toString('hex')}) as secret`;
  if (row === undefined) throw new Error(`Postgres returned no secret ${name}`);
  return row.secret;
}
