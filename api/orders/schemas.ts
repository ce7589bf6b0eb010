import { z } from 'zod';
import { orderStatuses } from '../../domain/order-states.js';
import { mainLocation, maxLinesPerOrder } from '../../domain/stock.js';
import { cardToken, email, payment } from '../payments/schemas.js';
import { id, locationCode, money, pageOf, pageQuery, quantity, sku, text, time } from '../schemas.js';

export const orderId = z.strictObject({ id: id('ord') });
export const orderQuery = z.strictObject({
  status: z.enum(orderStatuses).optional(),
  customerId: text(64).optional(),
  ...pageQuery,
});

export const paymentChoice = z
  .union([
    z.strictObject({ cardToken, backupCardToken: cardToken.optional() }),
    z.strictObject({ method: z.literal('external') }),
  ])
  .openapi('PaymentChoice');

export const newLine = z.strictObject({ sku, quantity, location: locationCode.default(mainLocation) });

export const newOrder = z.strictObject({
  customer: z.strictObject({ id: text(64).optional(), name: text(200).optional(), email: email.optional() }).optional(),
  lines: z.array(newLine).max(maxLinesPerOrder).default([]),
  payment: paymentChoice.optional(),
  confirm: z.boolean().default(false),
});

export const confirmation = z.strictObject({ payment: paymentChoice.optional() });
export const cancellation = z.strictObject({ reason: text(500) });

const status = z.enum(orderStatuses);

export const order = z
  .object({
    id: z.string(),
    status,
    customer: z.object({ id: z.string().optional(), name: z.string().optional(), email: z.string().optional() }),
    lines: z.array(
      z.object({
        sku: z.string(),
        quantity: z.int(),
        unitPrice: money,
        location: z.string(),
        reservationId: z.string().nullable(),
      }),
    ),
    total: money,
    payment: z.union([payment, z.null()]),
    supplierReference: z.string().nullable(),
    expiresAt: time.nullable(),
    cancelReason: z.string().nullable(),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    workflowId: z.string(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Order');

export const orderPage = pageOf('Order', order);

export const timeline = z
  .object({
    items: z.array(
      z.object({
        at: time,
        from: status.nullable(),
        to: status,
        reason: z.string().nullable(),
        actor: z.string(),
        traceId: z.string().nullable(),
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .openapi('OrderTimeline');
