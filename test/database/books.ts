/** The real ledger in the test run's Postgres, with builders that give each test its own SKUs. */
import { randomUUID } from 'node:crypto';
import { type Connection, connect, type Sql } from '../../db/postgres/client.js';
import { type Chunk, type Position, start, verifyChunk } from '../../db/stock/verify.js';
import type { LedgerDifference, StockCommand, StockOperation, StockResult } from '../../domain/stock.js';

export const otherLocation = 'books-west';

export interface Level {
  readonly location: string;
  readonly onHand: number;
  readonly reserved: number;
}

export class Books {
  private constructor(
    readonly url: string,
    readonly connection: Connection,
  ) {}

  static async open(): Promise<Books> {
    const url = process.env.HOLDFAST_TEST_DATABASE_URL;
    if (url === undefined) throw new Error('HOLDFAST_TEST_DATABASE_URL is not set');
    const books = new Books(url, connect(url, { applicationName: 'books', maxConnections: 8 }));
    await books.sql`insert into locations (code, name, created_by) values (${otherLocation}, 'West', 'books')
                    on conflict do nothing`;
    return books;
  }

  get sql(): Sql {
    return this.connection.sql;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** The same books over another connection, as another process would have. */
  another(maxConnections = 1): Connection {
    return connect(this.url, { applicationName: `books-${randomUUID()}`, maxConnections });
  }

  /** Creates a product with this quantity at `main`. */
  async newSku(onHand = 0): Promise<string> {
    const sku = `BOOKS-${randomUUID()}`;
    await this.sql`insert into products (sku, name, price_amount, price_currency, created_by)
                   values (${sku}, 'Books', 100, 'USD', 'books')`;
    if (onHand > 0) await this.do({ kind: 'receive', sku, location: 'main', quantity: onHand });
    return sku;
  }

  /** One batch in a transaction of its own, never coalesced with others. */
  async apply(operations: readonly StockOperation[], sql = this.sql): Promise<readonly StockResult[]> {
    const [row] = await sql<{ results: StockResult[] }[]>`
      select stock_apply(${JSON.stringify(operations)}::text::jsonb) as results`;
    return row?.results ?? [];
  }

  /** One operation with these commands and a new key. */
  async do(...commands: readonly StockCommand[]): Promise<StockResult> {
    const [result] = await this.apply([operation(commands)]);
    if (result === undefined) throw new Error('no result');
    return result;
  }

  /** Holds this quantity at `main` and returns the reservation's id. */
  async hold(sku: string, quantity: number, holdSeconds: number | null = null): Promise<string> {
    const reservationId = newHoldId();
    // Held for an order, so that no sweep releases it meanwhile: the tests share a database.
    const orderId = `ord_${randomUUID()}`;
    const asked = { reservationId, sku, location: 'main', quantity, holdSeconds, orderId };
    const result = await this.do({ kind: 'reserve', ...asked });
    if (result.outcome !== 'done') throw new Error(JSON.stringify(result));
    return reservationId;
  }

  async levels(sku: string): Promise<readonly Level[]> {
    return this.sql<Level[]>`
      select location, on_hand::int as "onHand", reserved::int as reserved from stock_levels
       where sku = ${sku} order by location`;
  }

  async differences(sku: string): Promise<readonly LedgerDifference[]> {
    return (await verify(this.sql)).filter((difference) => difference.sku === sku);
  }
}

/** The result of verifying the whole ledger, this many rows at a time. */
export async function verify(sql: Sql, rows = 20_000): Promise<readonly LedgerDifference[]> {
  const differences: LedgerDifference[] = [];
  for (let position: Position | null = start; position !== null; ) {
    const chunk: Chunk = await verifyChunk(sql, position, rows);
    differences.push(...chunk.differences);
    position = chunk.next;
  }
  return differences;
}

export const newHoldId = () => `rsv_${randomUUID()}`;

export function operation(commands: readonly StockCommand[], key: string = randomUUID()): StockOperation {
  return { key, commands, actor: 'books' };
}
