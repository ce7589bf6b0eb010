import { z } from 'zod';
import { maxOperationsPerBulk } from '../../domain/limits.js';
import { mainLocation } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import { delta, id, locationCode, quantity, shown, sku } from '../http/schemas.js';

const location = locationCode.default(mainLocation);

const operation = <Name extends string>(name: Name, description: string) => z.literal(name).openapi({ description });

/** Not a component of the document: generators of clients take members with a default there for required ones. */
export const inventoryOperation = z.discriminatedUnion('operation', [
  z.strictObject({ operation: operation('reserve', 'Hold goods.'), sku, quantity, location }),
  z.strictObject({ operation: operation('consume', 'Take goods out of stock.'), sku, quantity, location }),
  z.strictObject({
    operation: operation('release', 'Give held goods back.'),
    sku,
    quantity: quantity.openapi({ description: 'All that is held, or a part of it.' }),
    location: locationCode.openapi({ description: 'Must be where the hold is, if it is named.' }).optional(),
    reservationId: id('rsv').openapi({ description: 'The hold.' }),
  }),
]);
export type InventoryOperation = z.output<typeof inventoryOperation>;

export const bulkRequest = z.strictObject({
  operations: z
    .array(inventoryOperation)
    .min(1)
    .max(maxOperationsPerBulk)
    .openapi({ description: 'What to do, in this order.' }),
});

export const batchRequest = z.strictObject({
  updates: z
    .array(
      z.strictObject({
        sku,
        quantity: delta.openapi({ example: -2 }),
        location,
      }),
    )
    .min(1)
    .max(maxOperationsPerBulk)
    .openapi({ description: 'What to change.' }),
});

const count = (description: string) => z.int().min(0).openapi({ description, example: 2 });
const level = {
  onHand: count('Units at the location afterwards.'),
  reserved: count('Units held there afterwards.'),
  available: count('Units there and not held afterwards.'),
  replenishmentTriggered: z.boolean().openapi({
    description: 'Whether on hand is at or below the reorder point now and a supplier is asked for more.',
  }),
};

export const operationResult = z
  .object({
    operation: z.enum(['reserve', 'release', 'consume']).openapi({ description: 'What was done.' }),
    sku,
    quantity: count('How many units it was done to.'),
    reservationId: shown('The hold, of `reserve` and `release`.', 'rsv_01a1fca5052e708db2f67afe7cac72b9').optional(),
    ...level,
  })
  .openapi('InventoryOperationResult', { description: 'An operation that was done.' });
export type OperationResult = Shape<typeof operationResult>;

export const bulkResult = z
  .object({
    results: z
      .array(
        z.object({
          index: count('The place of the operation in the request, from 0.'),
          success: z.boolean().openapi({ description: 'Whether it was done.' }),
          result: operationResult.optional(),
          error: z
            .object({
              code: shown('A code of problem documents.', 'insufficient_stock'),
              detail: shown('What is wrong.', 'insufficient stock: available=1, requested=2'),
            })
            .openapi({ description: 'Why it was refused.' })
            .optional(),
        }),
      )
      .openapi({ description: 'One result for each operation, in their order.' }),
    succeeded: count('How many were done.'),
    failed: count('How many were refused.'),
    partialSuccess: z.boolean().openapi({ description: 'Whether some were done and some refused.' }),
  })
  .openapi('BulkResult', { description: 'What became of each operation.' });
export type BulkResult = Shape<typeof bulkResult>;

export const batchResult = z
  .object({
    updates: z
      .array(
        z.object({
          sku,
          location: locationCode,
          quantity: z.int().openapi({ description: 'By how much on hand changed.', example: -2 }),
          ...level,
        }),
      )
      .openapi({ description: 'The changes, in the order of the request.' }),
  })
  .openapi('BatchResult', { description: 'The changes that were made.' });
export type BatchResult = Shape<typeof batchResult>;
