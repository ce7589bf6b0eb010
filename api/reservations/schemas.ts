import { z } from 'zod';
import { maxHoldSeconds, maxReferenceLength } from '../../domain/limits.js';
import { mainLocation, reservationStatuses } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import { createdAt, id, locationCode, quantity, shownOrNull, sku, text, time } from '../http/schemas.js';

export const reservationId = z.strictObject({ id: id('rsv') });

export const newReservation = z.strictObject({
  sku,
  quantity,
  location: locationCode.default(mainLocation),
  expiresInSeconds: z
    .int()
    .min(1)
    .max(maxHoldSeconds)
    .openapi({ description: 'How long the goods are held; RESERVATION_TTL_SECONDS if absent.', example: 900 })
    .optional(),
  reference: text(maxReferenceLength).openapi({ description: 'Your own note.', example: 'basket 5117' }).optional(),
});

export const reservation = z
  .object({
    id: id('rsv'),
    sku,
    location: locationCode,
    quantity: z.int().min(0).openapi({ description: 'How many units it holds or held.', example: 2 }),
    status: z
      .enum(reservationStatuses)
      .openapi({ description: '`pending` while it is open, then how it ended. It ends exactly once.' }),
    orderId: shownOrNull('The order it belongs to; null: none.', null),
    reference: shownOrNull('What it was made for; null: not given.', 'basket 5117'),
    expiresAt: time.nullable().openapi({ description: 'When it expires; null: it does not.' }),
    createdAt,
    decidedAt: time.nullable().openapi({ description: 'When it ended; null: it is still open.', example: null }),
  })
  .openapi('Reservation', { description: 'A hold on the stock of a product at a location.' });
export type Reservation = Shape<typeof reservation>;

export const expiredReservations = z
  .object({ expired: z.int().min(0).openapi({ description: 'How many reservations expired.', example: 3 }) })
  .openapi('ExpiredReservations', { description: 'How many overdue reservations expired.' });
