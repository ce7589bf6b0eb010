/**
 * Connections to Postgres whose queries wait a bounded time: for a free connection, and for the answer. A server that is
 * stopped, or behind a network that drops what it is sent, breaks no connection and reports nothing; only a clock of our
 * own ends the wait (docs/adr/0012-every-wait-for-postgres-ends.md).
 */
import type postgres from 'postgres';

/** Postgres did not answer in time. Whether the statement runs, ran, or will run later is unknown. */
export class PostgresTimeout extends Error {
  readonly code = 'POSTGRES_TIMEOUT';
}

export interface Bounds {
  /** Queries that the driver is given at once: each has a connection to itself. The others wait here, unsent. */
  readonly maxConnections: number;
  /** From the call to the answer. */
  readonly timeoutMs: number;
  /** From handing a query to the driver until its connection is taken to be dead. */
  readonly stallMs: number;
}

/** What the driver's queries have that its types leave out; the version of the driver is pinned. */
interface DriverQuery {
  /** Called once, when somebody waits for the query: hands it to a connection. */
  handler: Handler;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface Handler {
  (query: DriverQuery): unknown;
  readonly debug?: unknown;
}

export class BoundedPool {
  /** What callers use as the driver's `sql`. Fragments, listeners and transactions are the driver's own. */
  readonly sql: postgres.Sql;
  /** Makes queries and holds the types; no query of ours goes over its connections. */
  readonly #template: postgres.Sql;
  #driver: postgres.Sql | null = null;
  #sendBy: Handler | null = null;
  #underWay = 0;
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

  /** Ends all connections, after `timeoutSeconds` also those in the middle of a query. */
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
      const what = unsent ? 'had no connection free' : 'did not answer';
      query.reject(new PostgresTimeout(`Postgres ${what} within ${this.bounds.timeoutMs} ms`));
    }, this.bounds.timeoutMs);
    if (this.#underWay < this.bounds.maxConnections) start();
    else this.#waiting.add(start);
  }

  #send(query: DriverQuery, timer: NodeJS.Timeout): void {
    const { resolve, reject } = query;
    const driver = this.#current();
    const stall = setTimeout(() => this.#replace(driver), this.bounds.stallMs);
    let settled = false;
    /** The driver is done with it, whether or not anybody still waits: its connection is free. */
    const settle = () => {
      clearTimeout(timer);
      clearTimeout(stall);
      if (settled) return;
      settled = true;
      this.#underWay--;
      // Not from inside the driver, which is still at work on the answer.
      queueMicrotask(() => this.#next());
    };
    query.resolve = (result) => {
      settle();
      resolve(result);
    };
    query.reject = (error) => {
      // Our own timer ends the caller's wait; the connection stays taken until the driver has its answer.
      if (!(error instanceof PostgresTimeout)) settle();
      reject(error);
    };
    this.#underWay++;
    this.#sendBy?.(query);
  }

  #next(): void {
    for (const start of this.#waiting) {
      if (this.#underWay >= this.bounds.maxConnections) return;
      start();
    }
  }

  #current(): postgres.Sql {
    if (this.#driver) return this.#driver;
    const driver = this.open();
    // Drizzle has changed how the template reads and writes some types.
    Object.assign(driver.options.parsers, this.#template.options.parsers);
    Object.assign(driver.options.serializers, this.#template.options.serializers);
    const unused: unknown = driver.unsafe('');
    if (!isQuery(unused)) throw new Error('this version of the Postgres driver makes queries of another kind');
    this.#sendBy = unused.handler;
    this.#driver = driver;
    return driver;
  }

  /** Gives up connections of which one is dead: what is under way on them fails, what comes next gets new ones. */
  #replace(driver: postgres.Sql): void {
    if (this.#driver !== driver) return;
    this.#driver = null;
    void driver.end({ timeout: 0 }).catch(() => undefined);
  }
}

function isQuery(made: unknown): made is DriverQuery {
  return made instanceof Promise && 'handler' in made && typeof made.handler === 'function';
}
