import { z } from 'zod';
import { ledgerKinds, mainLocation, maxQuantity } from '../../domain/stock.js';
import { anyTime, locationCode, pageOf, pageQuery, quantity, sku, text, time } from '../schemas.js';

export const inventorySku = z.strictObject({ sku });
export const inventoryQuery = z.strictObject({ at: anyTime.optional(), location: locationCode.optional() });
export const inventoryListQuery = z.strictObject(pageQuery);
/** Of the lists of a product's movements and open holds. */
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

const openHold = z
  .object({
    id: z.string(),
    quantity: count,
    location: z.string(),
    expiresAt: time.nullable(),
    orderId: z.string().nullable(),
  })
  .openapi('OpenHold');
export const openHoldPage = pageOf('OpenHold', openHold);

export const inventory = z
  .object({
    sku: z.string(),
    onHand: count,
    reserved: count,
    available: count,
    inTransit: count,
    locations: z.array(z.object({ location: z.string(), onHand: count, reserved: count, available: count })),
    reservationCount: count
      .optional()
      .openapi({ description: 'Open holds. Absent with `at`: `reserved` says how much was held, not by which holds.' }),
    reservations: z.array(openHold).optional().openapi({
      description:
        'The newest 20 open holds; `GET /api/inventory/{sku}/reservations` has all. Absent with `at`: `reserved` says how much was held; the movements of that time name the holds.',
    }),
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
