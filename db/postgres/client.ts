/** The connection to Postgres that every process makes once. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from '../schema/index.js';
import { BoundedPool } from './bounded-pool.js';

export type Sql = postgres.Sql;
export type Database = PostgresJsDatabase<typeof schema>;

export interface Connection {
  /** For the ledger's functions and whatever Drizzle has no words for. */
  readonly sql: Sql;
  /** For statements whose work grows with the table (verification, sweeps): two connections that may take minutes. */
  readonly slowSql: Sql;
  /** For everything else. */
  readonly db: Database;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly applicationName: string;
  readonly maxConnections: number;
  /**
   * How long a query may take from the call to the answer; Postgres itself gives up a statement after as long. Absent: no
   * bound, for tools that a person watches.
   */
  readonly timeoutSeconds?: number;
  /** Called with each query that is sent: the crash drills hang on it. */
  readonly onQuery?: (query: string) => void;
}

/** A server that does not take a connection within this time is away. */
const connectTimeoutSeconds = 3;
/** A statement that is late is cancelled by Postgres, and its error arrives; later than this, nobody is there. */
const graceMs = 1000;
const slowSeconds = 600;
const maxSlowConnections = 2;

/**
 * Connects lazily. A lost connection is made again within 0.1 s of the next query; a query that was under way then
 * rejects, and its outcome is unknown. So does a query that takes longer than `timeoutSeconds`, with PostgresTimeout or
 * SQLSTATE 57014: also where the server is stopped or unreachable, and where every connection is busy.
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
        // In milliseconds. A wait for a lock is part of a statement's time.
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
 * A query that is put together once for each connection, and planned once a session: for what every order asks. Drizzle
 * does neither for other queries.
 * @param make what puts it together and ends in `.prepare(name)`; its values are `sql.placeholder`s
 */
export function putTogetherOnce<Query>(make: (db: Database) => Query): (db: Database) => Query {
  const made = new WeakMap<Database, Query>();
  return (db) => {
    const known = made.get(db);
    if (known !== undefined) return known;
    const query = make(db);
    made.set(db, query);
    return query;
  };
}
