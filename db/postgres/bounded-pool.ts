/**
 * Connections to Postgres with a time limit on every query: for a free connection, and for the answer. A stopped
 * server, or a network that drops packets, neither breaks the connection nor reports an error. Only our own timer ends
 * such a wait (docs/adr/0012-every-wait-for-postgres-ends.md).
 */
import type postgres from 'postgres';

/** Postgres did not answer in time. The statement may have run, may be running, or may run later. */
export class PostgresTimeout extends Error {
  readonly code = 'POSTGRES_TIMEOUT';
}

export interface Bounds {
  /** Queries that the driver has at the same time, each on its own connection. Further ones wait here, unsent. */
  readonly maxConnections: number;
  /** From the call to the answer. */
  readonly timeoutMs: number;
  /** From handing a query to the driver until its connection is considered dead. */
  readonly stallMs: number;
}

/** Members of the driver's queries that its types do not declare. The driver's version is pinned. */
interface DriverQuery {
  /** Called once, when the query is first awaited: hands it to a connection. */
  handler: Handler;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface Handler {
  (query: DriverQuery): unknown;
  readonly debug?: unknown;
}

export class BoundedPool {
  /**
   * The driver's `sql` for callers, with a time limit on queries. Fragments, listeners and transactions are the
   * driver's own.
   */
  readonly sql: postgres.Sql;
  /** Creates queries and holds the type parsers. Its own connections run no queries. */
  readonly #template: postgres.Sql;
  #driver: postgres.Sql | null = null;
  #sendBy: Handler | null = null;
  #inFlight = 0;
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly open: () => postgres.Sql,
    private readonly bounds: Bounds,
  ) {
    this.#template = open();
    this.sql = new Proxy(this.#template, {
      apply: (target, self, args) => this.#bound(Reflect.apply(target, self, args)),
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (name !== 'unsafe' || typeof member !== 'function') return member;
        return (...args: unknown[]) => this.#bound(Reflect.apply(member, target, args));
      },
    });
  }

  /** Closes all connections; after `timeoutSeconds`, even those with a query in flight. */
  async close(timeoutSeconds: number): Promise<void> {
    await Promise.all([this.#template, this.#driver].map((driver) => driver?.end({ timeout: timeoutSeconds })));
  }

  #bound(made: unknown): unknown {
    if (isQuery(made)) {
      const submit = (query: DriverQuery) => this.#submit(query);
      made.handler = Object.assign(submit, { debug: made.handler.debug });
    }
    return made;
  }

  #submit(query: DriverQuery): void {
    const start = () => {
      this.#waiting.delete(start);
      this.#send(query, timer);
    };
    const timer = setTimeout(() => {
      const unsent = this.#waiting.delete(start);
      const what = unsent ? 'had no free connection' : 'did not answer';
      query.reject(new PostgresTimeout(`Postgres ${what} within ${this.bounds.timeoutMs} ms`));
    }, this.bounds.timeoutMs);
    if (this.#inFlight < this.bounds.maxConnections) start();
    else this.#waiting.add(start);
  }

  #send(query: DriverQuery, timer: NodeJS.Timeout): void {
    const { resolve, reject } = query;
    const driver = this.#current();
    const stall = setTimeout(() => this.#replace(driver), this.bounds.stallMs);
    let settled = false;
    /** The driver is done with the query, even if nobody waits for it any more: its connection is free. */
    const settle = () => {
      clearTimeout(timer);
      clearTimeout(stall);
      if (settled) return;
      settled = true;
      this.#inFlight--;
      // Later, since the driver is still handling the answer at this point.
      queueMicrotask(() => this.#next());
    };
    query.resolve = (result) => {
      settle();
      resolve(result);
    };
    query.reject = (error) => {
      // Our own timer ends the caller's wait; the connection stays in use until the driver has an answer.
      if (!(error instanceof PostgresTimeout)) settle();
      reject(error);
    };
    this.#inFlight++;
    this.#sendBy?.(query);
  }

  #next(): void {
    for (const start of this.#waiting) {
      if (this.#inFlight >= this.bounds.maxConnections) return;
      start();
    }
  }

  #current(): postgres.Sql {
    if (this.#driver) return this.#driver;
    const driver = this.open();
    // Drizzle changes how the template parses and serializes some types.
    Object.assign(driver.options.parsers, this.#template.options.parsers);
    Object.assign(driver.options.serializers, this.#template.options.serializers);
    const unused: unknown = driver.unsafe('');
    if (!isQuery(unused)) throw new Error('this version of the Postgres driver has a different kind of query');
    this.#sendBy = unused.handler;
    this.#driver = driver;
    return driver;
  }

  /** Replaces the connections when one of them is dead: queries in flight fail, and later ones get new connections. */
  #replace(driver: postgres.Sql): void {
    if (this.#driver !== driver) return;
    this.#driver = null;
    void driver.end({ timeout: 0 }).catch(() => undefined);
  }
}

function isQuery(made: unknown): made is DriverQuery {
  return made instanceof Promise && 'handler' in made && typeof made.handler === 'function';
}
