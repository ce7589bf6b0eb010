import { z } from 'zod';
import { maxReasonLength, maxReferenceLength } from '../../domain/limits.js';
import { ledgerKinds, mainLocation } from '../../domain/stock.js';
import {
  anyTime,
  delta,
  locationCode,
  pageOf,
  pageQuery,
  quantity,
  shown,
  shownOrNull,
  sku,
  text,
  time,
} from '../http/schemas.js';

export const inventorySku = z.strictObject({ sku });
export const inventoryQuery = z.strictObject({
  at: anyTime
    .openapi({
      description: 'A time that is not in the future: RFC 3339 with any offset. Encode a plus sign as `%2B`.',
      example: '2026-11-21T05:41:07Z',
    })
    .optional(),
  location: locationCode.openapi({ description: 'Only the stock at this location.' }).optional(),
});
export const inventoryListQuery = z.strictObject(pageQuery);
/** For the lists of a product's movements and open holds. */
export const movementQuery = z.strictObject({
  location: locationCode.openapi({ description: 'Only entries of this location.' }).optional(),
  ...pageQuery,
});

export const receipt = z.strictObject({
  quantity,
  location: locationCode.default(mainLocation),
  reference: text(maxReferenceLength)
    .openapi({ description: 'Your own note about where the goods come from.', example: 'delivery 2026-1117' })
    .optional(),
});

export const adjustment = z.strictObject({
  delta,
  reason: text(maxReasonLength).openapi({ description: 'Why stock is adjusted.', example: 'damaged in the warehouse' }),
  location: locationCode.default(mainLocation),
});

const count = (description: string) => z.int().min(0).openapi({ description, example: 42 });
const levels = {
  onHand: count('Units on hand.'),
  reserved: count('Units on hand that are held.'),
  available: count('Units on hand that are not held.'),
};

const openHold = z
  .object({
    id: shown('The id of the hold.', 'rsv_01a1fca5052e708db2f67afe7cac72b9'),
    quantity: count('How many units it holds.'),
    location: locationCode,
    expiresAt: time.nullable().openapi({ description: 'When it expires; null: it does not.' }),
    orderId: shownOrNull('The order it belongs to; null: none.', null),
  })
  .openapi('OpenHold', { description: 'A hold on stock that is neither decided nor expired.' });
export const openHoldPage = pageOf('OpenHold', openHold);

export const inventory = z
  .object({
    sku,
    ...levels,
    inTransit: count('Units in transit between locations; they are not on hand.'),
    locations: z
      .array(z.object({ location: locationCode, ...levels }))
      .openapi({ description: 'The figures of each location.' }),
    reservationCount: z.int().min(0).optional().openapi({
      description:
        'How many open holds there are. Absent with `at`: `reserved` says how much was held, not by how many holds.',
      example: 42,
    }),
    reservations: z.array(openHold).optional().openapi({
      description:
        'The newest 20 open holds; `GET /api/inventory/{sku}/reservations` lists all of them. Absent with `at`: `reserved` says how much was held; the movements of that time name the holds.',
    }),
  })
  .openapi('Inventory', { description: 'The stock of a product.' });

export const inventoryPage = pageOf('Inventory', inventory);

export const movement = z
  .object({
    id: shown('The id of the movement.', 'mov_1042'),
    sku,
    location: locationCode,
    kind: z.enum(ledgerKinds).openapi({ description: 'What happened to the goods.' }),
    onHandDelta: z.int().openapi({ description: 'By how much stock on hand changed.', example: 40 }),
    reservedDelta: z.int().openapi({ description: 'By how much reserved stock changed.', example: 0 }),
    onHandAfter: count('Units on hand afterwards.'),
    reservedAfter: count('Units reserved afterwards.'),
    reference: shownOrNull('What the movement belongs to, such as an order or a delivery.', null),
    reason: shownOrNull('Why it happened, if a reason was given.', null),
    actor: shown('Who did it.', 'api_key:key_01a1fc9f5d0a7d3b8f5c0a3e2b1d4c6f'),
    at: time.openapi({ description: 'When it happened.' }),
  })
  .openapi('Movement', { description: 'A ledger row: one change to the stock of a product at a location.' });

export const movementPage = pageOf('Movement', movement);
