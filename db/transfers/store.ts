/**
 * The one door to transfers: every change of a transfer and of its stock is one step, done in one transaction by the
 * function `transfer_apply` (db/migrations). Steps of concurrent callers share a transaction.
 */
import type { TransferStep, TransferStepResult } from '../../domain/transfers/steps.js';
import { batchRunner, batchWaitMs } from '../postgres/batch.js';
import type { Sql } from '../postgres/client.js';
import { Coalescer } from '../postgres/coalescer.js';

export interface TransferDoor {
  /** Does the step, or tells what it did the first time. Rejects when Postgres cannot be asked: the outcome is unknown. */
  apply(step: TransferStep): Promise<TransferStepResult>;
}

type RawResult = TransferStepResult | { readonly outcome: 'again' };

/** Steps of one transfer that meet in a batch are asked for again. */
const maxRounds = 20;

export function createTransferDoor(sql: Sql): TransferDoor {
  const run = batchRunner<TransferStep, RawResult>(async (steps) => {
    const [row] = await sql<{ results: RawResult[] }[]>`
      select transfer_apply(${JSON.stringify(steps)}::text::jsonb) as results`;
    return row?.results ?? [];
  });
  const coalescer = new Coalescer<TransferStep, PromiseSettledResult<RawResult>>(run, {
    maxWaitMs: batchWaitMs,
  });
  return {
    async apply(step) {
      for (let round = 1; round <= maxRounds; round++) {
        const settled = await coalescer.submit(step);
        if (settled.status === 'rejected') throw settled.reason;
        if (settled.value.outcome !== 'again') return settled.value;
      }
      throw new Error(`transfer step ${step.key} found no turn in ${maxRounds} rounds`);
    },
  };
}
