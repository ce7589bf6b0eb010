/** The connection to Postgres. Each process opens one. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from '../schema/index.js';
import { BoundedPool } from './bounded-pool.js';

export type Sql = postgres.Sql;
export type Database = PostgresJsDatabase<typeof schema>;

export interface Connection {
  /** For the ledger's functions, and for queries that Drizzle cannot express. */
  readonly sql: Sql;
  /** For statements whose work grows with the table (verification, sweeps): two connections with a limit of minutes. */
  readonly slowSql: Sql;
  /** For everything else. */
  readonly db: Database;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly applicationName: string;
  readonly maxConnections: number;
  /**
   * The time limit of a query, from the call to the answer. Postgres cancels a statement after the same time. Absent: no
   * limit, for tools that a person watches.
   */
  readonly timeoutSeconds?: number;
  /** Called with each query sent; the crash drills use it. */
  readonly onQuery?: (query: string) => void;
}

/** A server that does not accept a connection within this time is unavailable. */
const connectTimeoutSeconds = 3;
/** How much later than its time limit the error of a cancelled statement may arrive. */
const graceMs = 1000;
const slowSeconds = 600;
const maxSlowConnections = 2;

/**
 * Connects lazily. A lost connection is reopened within 0.1 s of the next query. A query that was in flight on it
 * rejects, and its outcome is unknown. So does a query that takes longer than `timeoutSeconds`, with PostgresTimeout or
 * SQLSTATE 57014, whether the server is slow, stopped or unreachable, or every connection is busy.
 */
export function connect(databaseUrl: string, options: ConnectOptions): Connection {
  const bound = options.timeoutSeconds ?? null;
  const pool = openPool(databaseUrl, options, options.maxConnections, bound);
  const slow = openPool(databaseUrl, options, maxSlowConnections, bound === null ? null : slowSeconds);
  return {
    sql: pool.sql,
    slowSql: slow.sql,
    db: drizzle(pool.sql, { schema }),
    close: async () => {
      await Promise.all([pool.close(2), slow.close(2)]);
    },
  };
}

interface Pool {
  readonly sql: Sql;
  close(withinSeconds: number): Promise<void>;
}

function openPool(databaseUrl: string, options: ConnectOptions, max: number, timeoutSeconds: number | null): Pool {
  const timeoutMs = timeoutSeconds === null ? null : Math.round(timeoutSeconds * 1000);
  const open = () =>
    postgres(databaseUrl, {
      max,
      backoff: () => 0.1,
      connect_timeout: timeoutMs === null ? 5 : connectTimeoutSeconds,
      onnotice: () => undefined,
      connection: {
        application_name: options.applicationName,
        TimeZone: 'UTC',
        // In milliseconds, including waits for locks.
        ...(timeoutMs !== null && {
          statement_timeout: timeoutMs,
          idle_in_transaction_session_timeout: timeoutMs,
        }),
      },
      ...(options.onQuery && { debug: (_connection: number, query: string) => options.onQuery?.(query) }),
    });
  if (timeoutMs === null) {
    const sql = open();
    return { sql, close: (withinSeconds) => sql.end({ timeout: withinSeconds }) };
  }
  const stallMs = connectTimeoutSeconds * 1000 + timeoutMs + graceMs;
  return new BoundedPool(open, { maxConnections: max, timeoutMs, stallMs });
}

/**
 * A query that is built once for each connection and planned once in each session, for the reads of every order. Drizzle
 * builds and plans other queries each time.
 * @param make builds the query and ends in `.prepare(name)`; its values are `sql.placeholder`s
 */
export function preparedOnce<Query>(make: (db: Database) => Query): (db: Database) => Query {
  const made = new WeakMap<Database, Query>();
  return (db) => {
    const known = made.get(db);
    if (known !== undefined) return known;
    const query = make(db);
    made.set(db, query);
    return query;
  };
}
