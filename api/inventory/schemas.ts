import { z } from 'zod';
import { ledgerKinds, mainLocation, maxQuantity } from '../../domain/stock.js';
import { anyTime, locationCode, pageOf, pageQuery, quantity, sku, text, time } from '../schemas.js';

export const inventorySku = z.strictObject({ sku });
export const inventoryQuery = z.strictObject({ at: anyTime.optional(), location: locationCode.optional() });
export const inventoryListQuery = z.strictObject(pageQuery);
export const movementQuery = z.strictObject({ location: locationCode.optional(), ...pageQuery });

export const receipt = z.strictObject({
  quantity,
  location: locationCode.default(mainLocation),
  reference: text(200).optional(),
});

export const adjustment = z.strictObject({
  delta: z
    .int()
    .min(-maxQuantity)
    .max(maxQuantity)
    .refine((delta) => delta !== 0, 'must not be 0'),
  reason: text(500),
  location: locationCode.default(mainLocation),
});

const count = z.int().min(0);

export const inventory = z
  .object({
    sku: z.string(),
    onHand: count,
    reserved: count,
    available: count,
    inTransit: count,
    locations: z.array(z.object({ location: z.string(), onHand: count, reserved: count, available: count })),
    reservations: z.array(
      z.object({
        id: z.string(),
        quantity: count,
        location: z.string(),
        expiresAt: time.nullable(),
        orderId: z.string().nullable(),
      }),
    ),
  })
  .openapi('Inventory');

export const inventoryPage = pageOf('Inventory', inventory);

export const movement = z
  .object({
    id: z.string(),
    sku: z.string(),
    location: z.string(),
    kind: z.enum(ledgerKinds),
    onHandDelta: z.int(),
    reservedDelta: z.int(),
    onHandAfter: count,
    reservedAfter: count,
    reference: z.string().nullable(),
    reason: z.string().nullable(),
    actor: z.string(),
    at: time,
  })
  .openapi('Movement');

export const movementPage = pageOf('Movement', movement);
