import { z } from 'zod';
import { maxLinesPerOrder, maxReasonLength } from '../../domain/limits.js';
import { refundStatuses } from '../../domain/payments/refunds.js';
import type { Shape } from '../http/route.js';
import {
  createdAt,
  currency,
  failure,
  id,
  minorUnits,
  pageOf,
  pageQuery,
  quantity,
  shown,
  shownOrNull,
  sku,
  text,
  time,
} from '../http/schemas.js';

export const refundId = z.strictObject({ id: id('rfd') });
export const refundedOrder = z.strictObject({ id: id('ord') });
export const refundedPayment = z.strictObject({ id: id('pay') });

const status = z.enum(refundStatuses);
export const refundQuery = z.strictObject({
  orderId: id('ord').openapi({ description: 'Only refunds of this order.' }).optional(),
  paymentId: id('pay').openapi({ description: 'Only refunds of this payment.' }).optional(),
  status: status.openapi({ description: 'Only refunds of this status.', example: 'succeeded' }).optional(),
  ...pageQuery,
});

const amount = minorUnits.min(1).openapi({ description: 'How much to return, in minor units.', example: 1999 });
const reason = text(maxReasonLength).openapi({
  description: 'Why the money is returned; shown on the timeline.',
  example: 'one does not fit',
});

export const newPaymentRefund = z.strictObject({ amount: amount.optional(), reason });

export const newOrderRefund = z
  .strictObject({
    amount: amount.openapi({ description: 'Overrides what the lines and charges come to.', example: 1999 }).optional(),
    lines: z
      .array(z.strictObject({ sku, quantity }))
      .min(1)
      .max(maxLinesPerOrder)
      .optional()
      .openapi({ description: 'The units to refund, each once. Their share is what was paid for them.' }),
    charges: z
      .boolean()
      .default(false)
      .openapi({ description: 'Whether to refund all charges of the order, with their taxes.' }),
    restock: z
      .boolean()
      .default(false)
      .openapi({ description: 'Whether the units come back to the stock, at the location of their line.' }),
    reason,
  })
  .refine(
    ({ amount, lines, charges, restock }) => !restock || lines !== undefined || (amount === undefined && !charges),
    {
      path: ['restock'],
      message: 'needs lines, or a refund of everything',
    },
  );

export const refund = z
  .object({
    id: id('rfd'),
    orderId: shownOrNull('The order; null: a payment without one.', 'ord_01a1fca5052e708db2f67afe7cac72b9'),
    paymentId: shownOrNull('The payment; null: the order was paid elsewhere.', 'pay_01a1fca5c20b7f1e9d3a4b5c6d7e8f90'),
    amount: minorUnits,
    currency,
    status: status.openapi({
      description: '`failed`, also after it had succeeded: the money can be refunded again.',
    }),
    lines: z
      .array(
        z.object({
          sku,
          quantity,
          amount: minorUnits.openapi({ description: 'The share of these units, in minor units.', example: 1999 }),
          location: shown('Where the units belong.', 'main'),
        }),
      )
      .openapi({ description: 'The units that it refunds.' }),
    charges: z.boolean().openapi({ description: 'Whether it refunds the charges of the order.' }),
    restocked: z.boolean().openapi({ description: 'Whether the units have come back to the stock.' }),
    reason: shown('Why the money is returned.', 'one does not fit'),
    providerReference: shownOrNull("The processor's own reference.", 're_3b1lS8bS2cQ0w4Zt'),
    failure,
    createdAt,
    settledAt: time.nullable().openapi({ description: 'When it succeeded or failed; null: not yet.' }),
  })
  .openapi('Refund', { description: 'Money returned to a customer.' });
export type Refund = Shape<typeof refund>;

export const refundPage = pageOf('Refund', refund);
