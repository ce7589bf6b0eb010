/** A test's own database on the run's server. No relay reads it, so its outbox rows stay. */
import { randomUUID } from 'node:crypto';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { createLedger } from '../../../db/stock/ledger.js';
import { migrate } from '../../../db/upgrade/migrate.js';
import type { StockCommand, StockOperation } from '../../../domain/stock.js';
import { scratchDatabase } from '../scratch.js';

interface OutboxRow {
  readonly id: number;
  readonly topic: string;
  readonly payload: Record<string, unknown>;
}

export interface QuietBooks {
  readonly connection: Connection;
  /** The same books in a second process. */
  another(): Connection;
  /** A product with an active supplier and this quantity at `main`. */
  product(onHand: number, reorderPoint: number): Promise<string>;
  apply(commands: readonly StockCommand[], more?: Partial<StockOperation>): Promise<void>;
  /** Empties the outbox and returns its rows. */
  take(): Promise<OutboxRow[]>;
  close(): Promise<void>;
}

export async function quietBooks(): Promise<QuietBooks> {
  const { url, drop } = await scratchDatabase();
  await migrate(url);
  const opened: Connection[] = [];
  const another = () => {
    const connection = connect(url, { applicationName: 'outbox test', maxConnections: 2 });
    opened.push(connection);
    return connection;
  };
  const connection = another();
  const { sql } = connection;
  const ledger = createLedger(sql);
  await sql`insert into suppliers (id, name, active, min_order_quantity, max_order_quantity, created_by)
            values ('acme', 'Acme', true, 1, 1000, 'test')`;

  const apply: QuietBooks['apply'] = async (commands, more) => {
    const [result] = await ledger.apply([{ key: randomUUID(), actor: 'test', commands, ...more }]);
    if (result?.outcome !== 'done') throw new Error(`the ledger answered ${JSON.stringify(result)}`);
  };
  return {
    connection,
    another,
    apply,
    async product(onHand, reorderPoint) {
      const sku = `T-${randomUUID().slice(0, 13)}`;
      await sql`insert into products (sku, name, price_amount, price_currency, created_by, reorder_point, max_stock,
                  supplier_id, supplier_price_amount, supplier_price_currency)
                values (${sku}, 'Test', 100, 'USD', 'test', ${reorderPoint}, 1000, 'acme', 40, 'USD')`;
      if (onHand > 0) await apply([{ kind: 'receive', sku, location: 'main', quantity: onHand }]);
      return sku;
    },
    take: () =>
      sql<OutboxRow[]>`with taken as (delete from outbox returning id, topic, payload)
                       select id::float8 as id, topic, payload from taken order by id`,
    async close() {
      await Promise.all(opened.map((each) => each.close()));
      await drop();
    },
  };
}
