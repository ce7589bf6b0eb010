/** The ledger: every change of stock is an operation, decided in Postgres by `stock_apply` (db/functions/03_stock.sql). */
import type { StockOperation, StockResult } from '../../domain/stock.js';
import { batchRunner, batchWaitMs } from '../postgres/batch.js';
import type { Sql } from '../postgres/client.js';
import { Coalescer } from '../postgres/coalescer.js';

/** Commands that one transaction does at most, unless a single operation has more. */
const maxCommandsPerBatch = 256;

export interface LedgerOptions {
  /** Transactions of this process that may be under way at once. One is best where callers want the same SKU. */
  readonly maxInFlight?: number;
}

export interface Ledger {
  /**
   * Does operations, each as a whole or not at all, and answers in their order. They may share a transaction with those
   * of other callers; the answer comes when it is durable. A refusal is an answer.
   *
   * Rejects when an answer cannot be had: Postgres is away or the connection broke (whether anything was done is then
   * unknown), or an operation is malformed (it was not done; the others of this call may have been). The same call may be
   * made again in every case: what was done answers what it did.
   */
  apply(operations: readonly StockOperation[]): Promise<readonly StockResult[]>;
}

export function createLedger(sql: Sql, options: LedgerOptions = {}): Ledger {
  const run = batchRunner<StockOperation, StockResult>(async (operations) => {
    const text = JSON.stringify(operations);
    const [row] = operations.some(mayBeAnnounced)
      ? await sql<{ results: StockResult[] }[]>`select stock_apply_announced(${text}::text::jsonb) as results`
      : await sql<{ results: StockResult[] }[]>`select stock_apply(${text}::text::jsonb) as results`;
    return row?.results ?? [];
  });
  const coalescer = new Coalescer<StockOperation, PromiseSettledResult<StockResult>>(run, {
    maxInFlight: options.maxInFlight ?? 1,
    maxWeight: maxCommandsPerBatch,
    maxWaitMs: batchWaitMs,
    weigh: (operation) => operation.commands.length,
  });
  const one = async (operation: StockOperation): Promise<StockResult> => {
    const settled = await coalescer.submit(operation);
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  };
  return { apply: (operations) => Promise.all(operations.map(one)) };
}

/** Whether the operation can move more than it is to be announced above; most cannot, and need not be looked at again. */
function mayBeAnnounced({ announceAbove, commands }: StockOperation): boolean {
  if (announceAbove === undefined) return false;
  const units = commands.map((command) => {
    if (command.kind === 'adjust') return Math.abs(command.delta);
    return 'quantity' in command ? (command.quantity ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  });
  return units.reduce((sum, count) => sum + count, 0) > announceAbove;
}
