import { z } from 'zod';
import { mainLocation, maxOperationsPerBulk, maxQuantity } from '../../domain/stock.js';
import { id, locationCode, quantity, sku } from '../schemas.js';

const location = locationCode.default(mainLocation);

export const inventoryOperation = z
  .discriminatedUnion('operation', [
    z.strictObject({ operation: z.literal('reserve'), sku, quantity, location }),
    z.strictObject({ operation: z.literal('consume'), sku, quantity, location }),
    z.strictObject({
      operation: z.literal('release'),
      sku,
      quantity: quantity.openapi({ description: 'All that is held, or a part of it.' }),
      location: locationCode.optional(),
      reservationId: id('rsv'),
    }),
  ])
  .openapi('InventoryOperation');
export type InventoryOperation = z.output<typeof inventoryOperation>;

export const bulkRequest = z.strictObject({
  operations: z.array(inventoryOperation).min(1).max(maxOperationsPerBulk),
});

export const batchRequest = z.strictObject({
  updates: z
    .array(
      z.strictObject({
        sku,
        quantity: z
          .int()
          .min(-maxQuantity)
          .max(maxQuantity)
          .refine((delta) => delta !== 0, 'must not be 0')
          .openapi({ description: 'What is added to on hand, or with a minus taken from it.', example: -2 }),
        location,
      }),
    )
    .min(1)
    .max(maxOperationsPerBulk),
});

const count = z.int().min(0);
const level = {
  onHand: count,
  reserved: count,
  available: count,
  replenishmentTriggered: z.boolean().openapi({
    description: 'On hand is at or below the reorder point now, and the product has a supplier: more is asked for.',
  }),
};

export const operationResult = z
  .object({
    operation: z.enum(['reserve', 'release', 'consume']),
    sku: z.string(),
    quantity: count,
    reservationId: z.string().optional(),
    ...level,
  })
  .openapi('InventoryOperationResult');
export type OperationResult = z.output<typeof operationResult>;

export const bulkResult = z
  .object({
    results: z.array(
      z.object({
        index: count,
        success: z.boolean(),
        result: operationResult.optional(),
        error: z.object({ code: z.string(), detail: z.string() }).optional(),
      }),
    ),
    succeeded: count,
    failed: count,
    partialSuccess: z.boolean(),
  })
  .openapi('BulkResult');

export const batchResult = z
  .object({
    updates: z.array(z.object({ sku: z.string(), location: z.string(), quantity: z.int(), ...level })),
  })
  .openapi('BatchResult');
