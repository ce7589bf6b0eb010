/** A dispute, on its own or on its payment. */
import { z } from 'zod';
import type { DisputeRow } from '../../db/payments/disputes.js';
import { disputeStatuses } from '../../domain/payments/disputes.js';
import type { Shape } from '../http/route.js';
import { currency, id, minorUnits, shown, shownOrNull, time } from '../http/schemas.js';

export const disputeStatus = z.enum(disputeStatuses).openapi({
  description:
    '`inquiry`: the bank only asks, and no money has moved. `open`: the bank decides. `won`: the money is ours again. `lost`: it stays away. `closed`: the inquiry became no dispute.',
  example: 'open',
});

export const dispute = z
  .object({
    id: id('dsp'),
    paymentId: id('pay'),
    orderId: shownOrNull('The order; null: a payment without one.', 'ord_01a1fca5052e708db2f67afe7cac72b9'),
    amount: minorUnits,
    currency,
    reason: shown("The bank's reason, as the processor names it.", 'fraudulent'),
    status: disputeStatus,
    refundable: z.boolean().openapi({ description: 'Whether the payment can be refunded meanwhile.' }),
    openedAt: time.openapi({ description: 'When it was opened.' }),
    closedAt: time.nullable().openapi({ description: 'When it was decided; null: not yet.' }),
    providerReference: shown("The processor's own reference.", 'dp_7b1lS8bS2cQ0w4Zt'),
  })
  .openapi('Dispute', { description: 'A cardholder has asked the bank for the money back. It never moves stock.' });
export type Dispute = Shape<typeof dispute>;

export function viewDispute(row: DisputeRow): Dispute {
  return {
    id: row.id,
    paymentId: row.paymentId,
    orderId: row.orderId,
    amount: row.amount,
    currency: row.currency,
    reason: row.reason,
    status: row.status,
    refundable: row.refundable,
    openedAt: row.openedAt,
    closedAt: row.closedAt,
    providerReference: row.providerReference,
  };
}
