/**
 * The one door to orders: every change of an order, its stock, its payment and what must follow from it is one step, done
 * in one transaction by the function `order_apply` (db/migrations). Steps of concurrent callers share a transaction.
 */
import type { OrderStep, OrderStepResult } from '../../domain/orders/steps.js';
import { batchRunner, batchWaitMs } from '../postgres/batch.js';
import type { Sql } from '../postgres/client.js';
import { Coalescer } from '../postgres/coalescer.js';

export interface OrderDoor {
  /** Does the step, or tells what it did the first time. Rejects when Postgres cannot be asked: the outcome is unknown. */
  apply(step: OrderStep): Promise<OrderStepResult>;
}

type RawResult = OrderStepResult | { readonly outcome: 'again' };

/** Steps of one order that meet in a batch, or lose a race by microseconds, are asked for again. */
const maxRounds = 20;

export function createOrderDoor(sql: Sql): OrderDoor {
  const run = batchRunner<OrderStep, RawResult>(async (steps) => {
    const [row] = await sql<{ results: RawResult[] }[]>`
      select order_apply(${JSON.stringify(steps)}::text::jsonb) as results`;
    return row?.results ?? [];
  });
  const coalescer = new Coalescer<OrderStep, PromiseSettledResult<RawResult>>(run, {
    maxWaitMs: batchWaitMs,
  });
  return {
    async apply(step) {
      for (let round = 1; round <= maxRounds; round++) {
        const settled = await coalescer.submit(step);
        if (settled.status === 'rejected') throw settled.reason;
        if (settled.value.outcome !== 'again') return settled.value;
      }
      throw new Error(`order step ${step.key} found no turn in ${maxRounds} rounds`);
    },
  };
}
