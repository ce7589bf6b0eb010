/** A payment, on its own or within an order: what it takes to make one, and how it looks. */
import { z } from 'zod';
import type { PaymentRow } from '../../db/payments/queries.js';
import { attemptOutcomes, cardSlots, paymentStatuses } from '../../domain/payments/states.js';
import type { Shape } from '../http/route.js';
import { createdAt, currency, id, minorUnits, shownOrNull, time } from '../http/schemas.js';

export const cardToken = z
  .string()
  .max(255)
  .regex(/^tok_[\x21-\x7e]*$/, 'must be a card token: tok_…')
  .openapi({
    description: "The card processor's token of a card. Never a card number: those are refused.",
    example: 'tok_visa',
  });
export const backupCardToken = cardToken.openapi({
  description: 'The card that is tried if the first one is refused.',
  example: 'tok_mastercard',
});
/** RFC 5321, section 4.5.3.1, and RFC 1035: a longer address, or a label that ends with a hyphen, reaches nobody. */
function isMailable(address: string): boolean {
  const [local = '', domain = ''] = address.split('@');
  return local.length <= 64 && domain.split('.').every((label) => label.length <= 63 && !label.endsWith('-'));
}

export const email = z.email().max(254).refine(isMailable, 'must be an address that mail can be sent to').openapi({
  pattern: z.regexes.email.source,
  description: 'Where receipts and notices go.',
  example: 'ada@example.com',
});

const card = z.enum(cardSlots).openapi({ description: 'Which card.' });

export const payment = z
  .object({
    id: id('pay'),
    status: z.enum(paymentStatuses).openapi({ description: 'Where the payment stands.' }),
    amount: minorUnits,
    currency,
    orderId: shownOrNull('The order that it pays; null: none.', 'ord_01a1fca5052e708db2f67afe7cac72b9'),
    customerId: shownOrNull('Your own id of the customer.', 'cus_1001'),
    reference: shownOrNull('Your own note.', null),
    cardUsed: card.nullable().openapi({ description: 'Which card was charged; null: none.' }),
    fraudScore: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .openapi({ description: 'How likely fraud is; null: not scored.', example: 0.1 }),
    attempts: z
      .array(
        z.object({
          card,
          outcome: z.enum(attemptOutcomes).openapi({ description: 'How it ended.' }),
          code: shownOrNull('Why it was refused; null: it was not.', null),
          at: time.openapi({ description: 'When it ended.' }),
        }),
      )
      .openapi({ description: 'What was tried with each card.' }),
    refunded: minorUnits.openapi({ description: 'What was given back, in minor units.', example: 0 }),
    providerReference: shownOrNull("The processor's own reference.", 'auth_5Z7ZicCDM23OX3qt'),
    createdAt,
  })
  .openapi('Payment', { description: 'A payment by card.' });

export type Payment = Shape<typeof payment>;

export function viewPayment(row: PaymentRow): Payment {
  return {
    id: row.id,
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    orderId: row.orderId,
    customerId: row.customerId,
    reference: row.reference,
    cardUsed: row.cardUsed,
    fraudScore: row.fraudScore === null ? null : Number(row.fraudScore),
    attempts: row.attempts,
    refunded: row.refunded,
    providerReference: row.providerReference,
    createdAt: row.createdAt,
  };
}
