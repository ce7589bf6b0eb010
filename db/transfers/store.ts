/**
 * Transfers change in steps. `transfer_apply` (db/functions/11_transfers.sql) does each step over the transfer and its
 * stock.
 */
import type {
  TransferState,
  TransferStep,
  TransferStepResult,
  TransferTransition,
} from '../../domain/transfers/steps.js';
import type { Sql } from '../postgres/client.js';
import { createStepStore, type DecidedStep, type StepStore } from '../postgres/step-store.js';

export type TransferStore = StepStore<TransferStep, TransferStepResult>;

export function createTransferStore(sql: Sql): TransferStore {
  return createStepStore(
    (steps) => sql<{ results: DecidedStep<TransferState, TransferTransition>[] }[]>`
      select transfer_apply(${steps}::text::jsonb) as results`,
  );
}
