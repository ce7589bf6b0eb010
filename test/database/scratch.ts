/** A test's own second database on the test run's Postgres. It is empty, and no relay reads it. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';

export interface Scratch {
  readonly url: string;
  /** For its owner. */
  readonly sql: postgres.Sql;
  drop(): Promise<void>;
}

/** An empty database. */
export async function scratchDatabase(): Promise<Scratch> {
  const name = `scratch_${randomUUID().replaceAll('-', '')}`;
  const server = process.env.HOLDFAST_TEST_DATABASE_URL;
  if (server === undefined) throw new Error('HOLDFAST_TEST_DATABASE_URL is not set');
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  await onServer(server, `create database ${name}`);
  const sql = postgres(url, { max: 4, onnotice: () => undefined });
  return {
    url,
    sql,
    drop: async () => {
      await sql.end();
      await onServer(server, `drop database ${name} with (force)`);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
