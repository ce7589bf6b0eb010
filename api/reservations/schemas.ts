import { z } from 'zod';
import { mainLocation, reservationStatuses } from '../../domain/stock.js';
import { id, locationCode, quantity, sku, text, time } from '../schemas.js';

export const reservationId = z.strictObject({ id: id('rsv') });

/** A year: as long as a hold can be asked for. */
const maxHoldSeconds = 31_536_000;

export const newReservation = z.strictObject({
  sku,
  quantity,
  location: locationCode.default(mainLocation),
  expiresInSeconds: z.int().min(1).max(maxHoldSeconds).optional(),
  reference: text(200).optional(),
});

export const reservation = z
  .object({
    id: z.string(),
    sku: z.string(),
    location: z.string(),
    quantity: z.int().min(0),
    status: z.enum(reservationStatuses),
    orderId: z.string().nullable(),
    reference: z.string().nullable(),
    expiresAt: time.nullable(),
    createdAt: time,
    decidedAt: time.nullable(),
  })
  .openapi('Reservation');

export const expiredReservations = z.object({ expired: z.int().min(0) }).openapi('ExpiredReservations');
