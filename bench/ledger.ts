/**
 * The ledger on one hot SKU, its worst case, since every operation needs the same row. Compared, in turns and on the same
 * tables, with the plain way: one transaction per operation with SELECT FOR UPDATE, UPDATE and INSERT.
 */
import { randomUUID } from 'node:crypto';
import { type Connection, connect, type Sql } from '../db/postgres/client.js';
import { createLedger } from '../db/stock/ledger.js';
import type { StockCommand } from '../domain/stock.js';
import type { Row } from './table.js';

const clientCounts = [16, 64];
const rounds = 3;
const warmUpMs = 300;
const measureMs = 1500;

type Work = 'consume' | 'reserve';
type Operation = () => Promise<void>;

/** Operations per second (the median of the rounds), by kind of work and number of clients. */
export async function benchLedger(databaseUrl: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const work of ['consume', 'reserve'] as const)
    for (const clients of clientCounts) {
      // The plain way needs a connection per transaction in flight; the ledger needs one in all.
      const plain = connect(databaseUrl, { applicationName: 'bench plain', maxConnections: clients });
      const ledger = connect(databaseUrl, { applicationName: 'bench ledger', maxConnections: 1 });
      try {
        rows.push(await compare(work, clients, ledger, plain));
      } finally {
        await Promise.all([plain.close(), ledger.close()]);
      }
    }
  return rows;
}

async function compare(work: Work, clients: number, ledger: Connection, plain: Connection): Promise<Row> {
  const through = throughTheLedger(ledger.sql, await hotSku(ledger.sql), work);
  const plainly = thePlainWay(plain.sql, await hotSku(ledger.sql), work);
  const rates: { ledger: number[]; plain: number[] } = { ledger: [], plain: [] };
  for (let round = 0; round < rounds; round++) {
    rates.ledger.push(await rateOf(through, clients));
    rates.plain.push(await rateOf(plainly, clients));
  }
  const [ledgerRate, plainRate] = [median(rates.ledger), median(rates.plain)];
  return {
    operation: work,
    clients,
    'through the ledger /s': Math.round(ledgerRate),
    'SELECT FOR UPDATE /s': Math.round(plainRate),
    times: (ledgerRate / plainRate).toFixed(1),
  };
}

async function hotSku(sql: Sql): Promise<string> {
  const sku = `BENCH-${randomUUID()}`;
  await sql`insert into products (sku, name, price_amount, price_currency, created_by)
            values (${sku}, 'Hot', 100, 'USD', 'bench')`;
  const stock: StockCommand = { kind: 'receive', sku, location: 'main', quantity: 1_000_000_000 };
  await createLedger(sql).apply([{ key: `${sku}/stock`, actor: 'bench', commands: [stock] }]);
  return sku;
}

function throughTheLedger(sql: Sql, sku: string, work: Work): Operation {
  const ledger = createLedger(sql);
  let count = 0;
  return async () => {
    const id = `${sku}/${++count}`;
    const command: StockCommand =
      work === 'consume'
        ? { kind: work, sku, location: 'main', quantity: 1 }
        : { kind: work, reservationId: `rsv_${id}`, sku, location: 'main', quantity: 1, holdSeconds: 900 };
    const [result] = await ledger.apply([{ key: id, actor: 'bench', commands: [command] }]);
    if (result?.outcome !== 'done') throw new Error(`the ledger answered ${JSON.stringify(result)}`);
  };
}

/** The obvious implementation: also correct, but without keys and reservation rows, and one operation at a time. */
function thePlainWay(sql: Sql, sku: string, work: Work): Operation {
  const [onHand, reserved, kind] = work === 'consume' ? [-1, 0, 'consumed'] : [0, 1, 'reserved'];
  return () =>
    sql.begin(async (transaction) => {
      const [level] = await transaction<{ available: number }[]>`
        select (on_hand - reserved)::float8 as available from stock_levels
         where sku = ${sku} and location = 'main' for update`;
      if (level === undefined || level.available < 1) throw new Error('nothing is left');
      const [after] = await transaction<{ on_hand: string; reserved: string; changed_at: string }[]>`
        update stock_levels set on_hand = on_hand + ${onHand}, reserved = reserved + ${reserved},
                                changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond')
         where sku = ${sku} and location = 'main' returning on_hand, reserved, changed_at::text as changed_at`;
      if (after === undefined) throw new Error('the level vanished');
      await transaction`
        insert into stock_ledger (sku, location, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                                  operation_key, actor, at)
        values (${sku}, 'main', ${kind}, ${onHand}, ${reserved}, ${after.on_hand}, ${after.reserved},
                ${randomUUID()}, 'bench', ${after.changed_at}::text::timestamptz)`;
    });
}

/** Answers per second for clients that each send the next call after the last answer. */
async function rateOf(operation: Operation, clients: number): Promise<number> {
  const run = async (ms: number): Promise<number> => {
    const start = performance.now();
    let done = 0;
    const client = async () => {
      while (performance.now() - start < ms) {
        await operation();
        done++;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return done / ((performance.now() - start) / 1000);
  };
  await run(warmUpMs);
  return run(measureMs);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
