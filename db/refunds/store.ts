/**
 * Refunds change in steps. `refund_apply` (db/functions/13_refunds.sql) does each step over the refund, its order, its
 * payment, its stock and its outbox rows.
 */
import type { RefundState, RefundStep, RefundStepResult, RefundTransition } from '../../domain/payments/refunds.js';
import type { Sql } from '../postgres/client.js';
import { createStepStore, type DecidedStep, type StepStore } from '../postgres/step-store.js';

export type RefundStore = StepStore<RefundStep, RefundStepResult>;

export function createRefundStore(sql: Sql): RefundStore {
  return createStepStore(
    (steps) => sql<{ results: DecidedStep<RefundState, RefundTransition>[] }[]>`
      select refund_apply(${steps}::text::jsonb) as results`,
  );
}
