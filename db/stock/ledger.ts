/**
 * The ledger. Every change of stock is an operation, which `stock_apply` decides in Postgres
 * (db/functions/03_stock.sql).
 */
import type { StockOperation, StockResult } from '../../domain/stock.js';
import { batchRunner, batchWaitMs } from '../postgres/batch.js';
import type { Sql } from '../postgres/client.js';
import { Coalescer } from '../postgres/coalescer.js';

/** The most commands in one transaction, unless a single operation has more. */
const maxCommandsPerBatch = 256;

export interface LedgerOptions {
  /** Transactions of this process in flight at once. One is best if callers compete for the same SKU. */
  readonly maxInFlight?: number;
}

export interface Ledger {
  /**
   * Applies operations, each as a whole or not at all, and returns their results in order, once they are durable.
   * They may share a transaction with operations of other callers. A refusal is a result.
   *
   * Rejects if Postgres is unavailable or the connection broke (the outcome is then unknown), or if an operation is
   * malformed (it was not applied; others of this call may have been). The call may be repeated in every case: an
   * operation that was applied returns its first result.
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

/** Whether the operation may move more than `announceAbove` units. Most cannot, and skip the check in Postgres. */
function mayBeAnnounced({ announceAbove, commands }: StockOperation): boolean {
  if (announceAbove === undefined) return false;
  const units = commands.map((command) => {
    if (command.kind === 'adjust') return Math.abs(command.delta);
    return 'quantity' in command ? (command.quantity ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  });
  return units.reduce((sum, count) => sum + count, 0) > announceAbove;
}
