import { z } from 'zod';
import { maxCustomerIdLength, maxReferenceLength } from '../../domain/limits.js';
import { paymentStatuses } from '../../domain/payments/states.js';
import { createdAt, currency, id, minorUnits, pageOf, pageQuery, text, time } from '../http/schemas.js';

export const paymentId = z.strictObject({ id: id('pay') });
export const paymentQuery = z.strictObject({
  customerId: text(maxCustomerIdLength)
    .openapi({ description: 'Only payments of this customer.', example: 'cus_1001' })
    .optional(),
  ...pageQuery,
});

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

export const newPayment = z.strictObject({
  amount: minorUnits.min(1),
  currency,
  cardToken,
  backupCardToken: backupCardToken.optional(),
  customerId: text(maxCustomerIdLength)
    .openapi({ description: 'Your own id of the customer.', example: 'cus_1001' })
    .optional(),
  email: email.optional(),
  reference: text(maxReferenceLength)
    .openapi({ description: 'Your own note.', example: 'invoice 2026-1117' })
    .optional(),
});

const card = z.enum(['primary', 'backup']).openapi({ description: 'Which card.' });

export const payment = z
  .object({
    id: id('pay'),
    status: z.enum(paymentStatuses).openapi({ description: 'Where the payment stands.' }),
    amount: minorUnits,
    currency,
    orderId: z
      .string()
      .nullable()
      .openapi({ description: 'The order that it pays; null: none.', example: 'ord_01a1fca5052e708db2f67afe7cac72b9' }),
    customerId: z.string().nullable().openapi({ description: 'Your own id of the customer.', example: 'cus_1001' }),
    reference: z.string().nullable().openapi({ description: 'Your own note.', example: null }),
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
          outcome: z
            .enum(['captured', 'declined', 'blocked', 'failed', 'voided'])
            .openapi({ description: 'How it ended.' }),
          code: z.string().nullable().openapi({ description: 'Why it was refused; null: it was not.', example: null }),
          at: time.openapi({ description: 'When it ended.' }),
        }),
      )
      .openapi({ description: 'What was tried with each card.' }),
    refunded: minorUnits.openapi({ description: 'What was given back, in minor units.', example: 0 }),
    providerReference: z
      .string()
      .nullable()
      .openapi({ description: "The processor's own reference.", example: 'auth_5Z7ZicCDM23OX3qt' }),
    createdAt,
  })
  .openapi('Payment', { description: 'A payment by card.' });

export const paymentPage = pageOf('Payment', payment);
