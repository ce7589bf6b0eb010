import { z } from 'zod';
import { maxCustomerIdLength, maxLinesPerOrder, maxNameLength, maxReasonLength } from '../../domain/limits.js';
import { orderStatuses } from '../../domain/orders/states.js';
import { mainLocation } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import {
  createdAt,
  failure,
  id,
  locationCode,
  money,
  nextCursor,
  pageOf,
  pageQuery,
  quantity,
  shown,
  shownOrNull,
  sku,
  text,
  time,
  updatedAt,
} from '../http/schemas.js';
import { backupCardToken, cardToken, email, payment } from '../shapes/payment.js';

export const orderId = z.strictObject({ id: id('ord') });
export const orderQuery = z.strictObject({
  status: z.enum(orderStatuses).openapi({ description: 'Only orders of this status.', example: 'reserved' }).optional(),
  customerId: text(maxCustomerIdLength)
    .openapi({ description: 'Only orders of this customer.', example: 'cus_1001' })
    .optional(),
  ...pageQuery,
});

const paymentChoice = z
  .union([
    z.strictObject({ cardToken, backupCardToken: backupCardToken.optional() }),
    z.strictObject({
      method: z.literal('external').openapi({ description: 'It is paid elsewhere: no processor is called.' }),
    }),
  ])
  .openapi('PaymentChoice', { description: 'How the order is paid: by card, or elsewhere.' });

export const newLine = z.strictObject({ sku, quantity, location: locationCode.default(mainLocation) });

export const newOrder = z.strictObject({
  customer: z
    .strictObject({
      id: text(maxCustomerIdLength)
        .openapi({ description: 'Your own id of the customer.', example: 'cus_1001' })
        .optional(),
      name: text(maxNameLength).openapi({ description: 'Their name.', example: 'Ada Lovelace' }).optional(),
      email: email.optional(),
    })
    .openapi({ description: 'Who orders.' })
    .optional(),
  lines: z
    .array(newLine)
    .max(maxLinesPerOrder)
    .default([])
    .openapi({ description: 'What is ordered; none makes a draft.' }),
  payment: paymentChoice.optional(),
  confirm: z.boolean().default(false).openapi({ description: 'Whether to pay and confirm it in the same call.' }),
});

export const confirmation = z.strictObject({ payment: paymentChoice.optional() });
export const cancellation = z.strictObject({
  reason: text(maxReasonLength).openapi({ description: 'Why; it is on the timeline.', example: 'ordered twice' }),
});

const status = z.enum(orderStatuses).openapi({ description: 'Where the order stands.' });

export const order = z
  .object({
    id: id('ord'),
    status,
    customer: z
      .object({
        id: shown('Your own id of the customer.', 'cus_1001').optional(),
        name: shown('Their name.', 'Ada Lovelace').optional(),
        email: shown('Where receipts go.', 'ada@example.com').optional(),
      })
      .openapi({ description: 'Who orders.' }),
    lines: z
      .array(
        z.object({
          sku,
          quantity,
          unitPrice: money.openapi({ description: 'The price of one unit when the line was added.' }),
          location: locationCode,
          reservationId: shownOrNull('Its hold; null: none yet.', 'rsv_01a1fca5052e708db2f67afe7cac72b9'),
        }),
      )
      .openapi({ description: 'What is ordered.' }),
    total: money.openapi({ description: 'The sum of all lines.' }),
    payment: z.union([payment, z.null()]).openapi({ description: 'The latest payment; null: none yet.' }),
    supplierReference: shownOrNull("The supplier's reference of what is missing; null: nothing is.", null),
    expiresAt: time.nullable().openapi({ description: 'When its holds expire; null: not by themselves.' }),
    cancelReason: shownOrNull('Why it was cancelled.', null),
    failure,
    workflowId: shown('Its workflow in Temporal.', 'order/ord_01a1fca5052e708db2f67afe7cac72b9'),
    createdAt,
    updatedAt,
  })
  .openapi('Order', { description: 'An order.' });
export type Order = Shape<typeof order>;

export const orderPage = pageOf('Order', order);

const timelineEntry = z.object({
  at: time.openapi({ description: 'When it happened.' }),
  from: status.nullable().openapi({ description: 'The status before; null: there was none.' }),
  to: status.openapi({ description: 'The status afterwards; the same where only a note was made.' }),
  reason: shownOrNull('Why, where there is a reason.', null),
  actor: shown('Who did it.', 'api_key:key_01a1fc9f5d0a7d3b8f5c0a3e2b1d4c6f'),
  traceId: shownOrNull('The W3C trace of the call.', '0af7651916cd43dd8448eb211c80319c'),
});
export type TimelineEntry = Shape<typeof timelineEntry>;

export const timeline = z
  .object({
    items: z.array(timelineEntry).openapi({ description: 'What happened, the oldest first.' }),
    nextCursor,
  })
  .openapi('OrderTimeline', { description: 'A page of what happened to an order.' });
