/** The connection to Postgres that every process makes once. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from './schema/index.js';

export type Sql = postgres.Sql;
export type Database = PostgresJsDatabase<typeof schema>;

export interface Connection {
  /** For the ledger's functions and whatever Drizzle has no words for. */
  readonly sql: Sql;
  /** For everything else. */
  readonly db: Database;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly applicationName: string;
  readonly maxConnections: number;
  /** Called with each query that is sent: the crash drills hang on it. */
  readonly onQuery?: (query: string) => void;
}

/**
 * Connects lazily. A lost connection is made again within 0.1 s of the next query; a query that was under way then
 * rejects, and its outcome is unknown.
 */
export function connect(databaseUrl: string, options: ConnectOptions): Connection {
  const sql = postgres(databaseUrl, {
    max: options.maxConnections,
    backoff: () => 0.1,
    connect_timeout: 5,
    onnotice: () => undefined,
    connection: { application_name: options.applicationName, TimeZone: 'UTC' },
    ...(options.onQuery && { debug: (_connection: number, query: string) => options.onQuery?.(query) }),
  });
  return { sql, db: drizzle(sql, { schema }), close: () => sql.end({ timeout: 2 }) };
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
