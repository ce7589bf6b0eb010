/** Every change of a transfer and its stock is a step, done by `transfer_apply` (db/functions/11_transfers.sql). */
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
