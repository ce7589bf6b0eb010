/** Inventory operations: one, many that succeed or fail independently, and many that are all done or none. */
import type { z } from 'zod';
import { writeAudit } from '../../db/audit/audit.js';
import { findProductTerms } from '../../db/catalogue/queries.js';
import type { RefusalCode } from '../../domain/errors.js';
import { maxOperationsPerBulk } from '../../domain/limits.js';
import { largeMovementUnits } from '../../domain/notices.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, type Reply, reasonOf, refuse, refuseWith } from '../http/reply.js';
import { type Call, type CallContext, type Route, route } from '../http/route.js';
import { refuseStock } from '../http/stock-refusals.js';
import { batchExample, bulkExample, exampleSku, operationExample } from '../openapi/examples/catalogue.js';
import { levelAfter, type Outcome, operationKey, perform } from './perform.js';
import {
  type BatchResult,
  type BulkResult,
  batchRequest,
  batchResult,
  bulkRequest,
  bulkResult,
  inventoryOperation,
  operationResult,
} from './schemas.js';

const refusals = [
  'not_found',
  'unknown_sku',
  'unknown_location',
  'product_not_active',
  'insufficient_stock',
  'reservation_decided',
  'invalid_state',
] as const satisfies readonly RefusalCode[];

export function operationRoutes(deps: ApiDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/inventory/operations',
      tag: 'Stock',
      summary: 'Reserve, release or consume',
      description:
        '`reserve` makes a hold that expires like any other. `release` gives back all or part of such a hold. `consume` takes unreserved goods out of stock.',
      example: { body: { operation: 'reserve', sku: exampleSku, quantity: 2 }, answer: operationExample },
      scope: 'inventory:write',
      body: inventoryOperation,
      answers: { 200: operationResult },
      refusals,
      handler: async (call) => {
        const [outcome] = await perform(call, [call.body], deps);
        if (!outcome) throw new Error('an operation got no outcome');
        return outcome.kind === 'done' ? answer(200, outcome.result) : outcome;
      },
    }),
    route({
      method: 'post',
      path: '/api/inventory/bulk',
      tag: 'Stock',
      summary: `Do up to ${maxOperationsPerBulk} independent operations`,
      description:
        'Carries out each operation independently, in the given order and in one transaction. A refused operation does not affect the others. If all are refused, the answer is 422 `all_operations_failed` with the same results.',
      example: {
        body: {
          operations: [
            { operation: 'reserve', sku: exampleSku, quantity: 2 },
            { operation: 'consume', sku: exampleSku, quantity: 500 },
          ],
        },
        answer: bulkExample,
      },
      scope: 'inventory:write',
      body: bulkRequest,
      answers: { 200: bulkResult },
      refusals: ['all_operations_failed'],
      handler: async (call) => {
        await auditStart(call, 'bulk', call.body.operations.length, deps);
        return bulkReply(await perform(call, call.body.operations, deps));
      },
    }),
    route({
      method: 'post',
      path: '/api/inventory/batch',
      tag: 'Stock',
      summary: `Change up to ${maxOperationsPerBulk} quantities, all or none`,
      description: 'Adds signed quantities to stock on hand. If one change is refused, none is made.',
      example: {
        body: {
          updates: [
            { sku: exampleSku, quantity: -2 },
            { sku: 'MUG-BLUE', quantity: 12 },
          ],
        },
        answer: batchExample,
      },
      scope: 'inventory:write',
      body: batchRequest,
      answers: { 200: batchResult },
      refusals: ['unknown_sku', 'unknown_location', 'insufficient_stock'],
      handler: (call) => batch(call, deps),
    }),
  ];
}

function bulkReply(outcomes: readonly Outcome[]): Reply<Answer<200, BulkResult>> {
  const results = outcomes.map((outcome, index) =>
    outcome.kind === 'done'
      ? { index, success: true, result: outcome.result }
      : { index, success: false, error: { code: outcome.refusal.code, detail: reasonOf(outcome) } },
  );
  const succeeded = outcomes.filter(({ kind }) => kind === 'done').length;
  const failed = outcomes.length - succeeded;
  const body = { results, succeeded, failed, partialSuccess: succeeded > 0 && failed > 0 };
  return succeeded > 0
    ? answer(200, body)
    : refuse('all_operations_failed', 'none of the operations could be done', body);
}

/**
 * Reports the start once, in a transaction of its own before the change: the ledger applies operations of many calls in one
 * statement. Whatever happens then, the ledger has a row for each change that was made.
 */
async function auditStart(
  { caller, ids, resumed }: CallContext,
  kind: 'bulk' | 'batch',
  operations: number,
  { connection: { db } }: ApiDeps,
): Promise<void> {
  if (resumed) return;
  const subject = `operation/api/${ids.update}`;
  await writeAudit(db, { by: caller, action: `${kind}.started`, subject, outcome: 'started', detail: { operations } });
}

async function batch(
  call: Call<unknown, unknown, z.output<typeof batchRequest>>,
  deps: ApiDeps,
): Promise<Reply<Answer<200, BatchResult>>> {
  const {
    connection: { sql },
    ledger,
  } = deps;
  const { updates } = call.body;
  await auditStart(call, 'batch', updates.length, deps);
  const products = await findProductTerms(sql, [...new Set(updates.map(({ sku }) => sku))]);
  const [result] = await ledger.apply([
    {
      key: operationKey(call, 0),
      actor: call.caller.actor,
      announceAbove: largeMovementUnits,
      commands: updates.map(({ sku, location, quantity }) => ({ kind: 'adjust', sku, location, delta: quantity })),
    },
  ]);
  if (!result) throw new Error('the ledger gave no answer to a batch');
  if (result.outcome === 'refused') {
    const index = result.refusal.command;
    return refuseWith(refuseStock(result.refusal, false, `/updates/${index}`).refusal, { index });
  }
  const last = new Map(result.movements.map((moved) => [`${moved.sku}/${moved.location}`, moved]));
  return answer(200, {
    updates: updates.map(({ sku, location, quantity }) => {
      const moved = last.get(`${sku}/${location}`);
      if (!moved) throw new Error(`the ledger wrote no movement of ${sku} at ${location}`);
      const product = products.find((each) => each.sku === sku);
      return { sku, location, quantity, ...levelAfter(product, moved.onHandAfter, moved.reservedAfter) };
    }),
  });
}
