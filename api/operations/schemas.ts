import { z } from 'zod';
import { maxOperationsPerBulk } from '../../domain/limits.js';
import { mainLocation } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import { delta, id, locationCode, quantity, shown, sku } from '../http/schemas.js';

const location = locationCode.default(mainLocation);

const operation = <Name extends string>(name: Name, description: string) => z.literal(name).openapi({ description });

/** Not a component of the document, since client generators treat members with a default as required there. */
export const inventoryOperation = z.discriminatedUnion('operation', [
  z.strictObject({ operation: operation('reserve', 'Hold goods.'), sku, quantity, location }),
  z.strictObject({ operation: operation('consume', 'Take goods out of stock.'), sku, quantity, location }),
  z.strictObject({
    operation: operation('release', 'Give held goods back.'),
    sku,
    quantity: quantity.openapi({ description: 'How many held units to give back: all or some of them.' }),
    location: locationCode.openapi({ description: 'If given, must be the location of the hold.' }).optional(),
    reservationId: id('rsv').openapi({ description: 'The id of the hold.' }),
  }),
]);
export type InventoryOperation = z.output<typeof inventoryOperation>;

export const bulkRequest = z.strictObject({
  operations: z
    .array(inventoryOperation)
    .min(1)
    .max(maxOperationsPerBulk)
    .openapi({ description: 'The operations, in the order to carry them out.' }),
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
    .openapi({ description: 'The changes.' }),
});

const count = (description: string) => z.int().min(0).openapi({ description, example: 2 });
const level = {
  onHand: count('Units on hand at the location afterwards.'),
  reserved: count('Units held at the location afterwards.'),
  available: count('Units on hand but not held afterwards.'),
  replenishmentTriggered: z.boolean().openapi({
    description: 'Whether stock on hand is now at or below the reorder point and more is ordered from the supplier.',
  }),
};

export const operationResult = z
  .object({
    operation: z.enum(['reserve', 'release', 'consume']).openapi({ description: 'Which operation was done.' }),
    sku,
    quantity: count('How many units were reserved, released or consumed.'),
    reservationId: shown(
      'The hold that was made or released; absent for `consume`.',
      'rsv_01a1fca5052e708db2f67afe7cac72b9',
    ).optional(),
    ...level,
  })
  .openapi('InventoryOperationResult', { description: 'An operation that was done.' });
export type OperationResult = Shape<typeof operationResult>;

export const bulkResult = z
  .object({
    results: z
      .array(
        z.object({
          index: count('The index of the operation in the request, from 0.'),
          success: z.boolean().openapi({ description: 'Whether it was done.' }),
          result: operationResult.optional(),
          error: z
            .object({
              code: shown('A code, as in problem documents.', 'insufficient_stock'),
              detail: shown('What is wrong.', 'insufficient stock: available=1, requested=2'),
            })
            .openapi({ description: 'Why it was refused.' })
            .optional(),
        }),
      )
      .openapi({ description: 'One result for each operation, in the order of the request.' }),
    succeeded: count('How many operations were done.'),
    failed: count('How many operations were refused.'),
    partialSuccess: z.boolean().openapi({ description: 'Whether some operations were done and some refused.' }),
  })
  .openapi('BulkResult', { description: 'The result of each operation.' });
export type BulkResult = Shape<typeof bulkResult>;

export const batchResult = z
  .object({
    updates: z
      .array(
        z.object({
          sku,
          location: locationCode,
          quantity: z.int().openapi({ description: 'By how much stock on hand changed.', example: -2 }),
          ...level,
        }),
      )
      .openapi({ description: 'The changes, in the order of the request.' }),
  })
  .openapi('BatchResult', { description: 'The changes that were made.' });
export type BatchResult = Shape<typeof batchResult>;
