/**
 * Orders change in steps. `order_apply` (db/functions/10_orders.sql) does each step over the order, its stock, its
 * payment and its outbox rows.
 */
import type {
  OrderState,
  OrderStep,
  OrderStepDetails,
  OrderStepResult,
  OrderTransition,
} from '../../domain/orders/steps.js';
import type { Sql } from '../postgres/client.js';
import { createStepStore, type DecidedStep, type StepStore } from '../postgres/step-store.js';

export type OrderStore = StepStore<OrderStep, OrderStepResult>;

export function createOrderStore(sql: Sql): OrderStore {
  return createStepStore(
    (steps) => sql<{ results: DecidedStep<OrderState, OrderTransition, OrderStepDetails>[] }[]>`
      select order_apply(${steps}::text::jsonb) as results`,
  );
}
