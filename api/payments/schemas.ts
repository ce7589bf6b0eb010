import { z } from 'zod';
import { paymentStatuses } from '../../domain/payment-states.js';
import { currency, id, minorUnits, pageOf, pageQuery, text, time } from '../schemas.js';

export const paymentId = z.strictObject({ id: id('pay') });
export const paymentQuery = z.strictObject({ customerId: text(64).optional(), ...pageQuery });

export const cardToken = z
  .string()
  .max(255)
  .regex(/^tok_[\x21-\x7e]*$/, 'must be a card token: tok_…')
  .openapi({ example: 'tok_visa' });
export const email = z.email().max(254);

export const newPayment = z.strictObject({
  amount: minorUnits.min(1),
  currency,
  cardToken,
  backupCardToken: cardToken.optional(),
  customerId: text(64).optional(),
  email: email.optional(),
  reference: text(200).optional(),
});

const card = z.enum(['primary', 'backup']);

export const payment = z
  .object({
    id: z.string(),
    status: z.enum(paymentStatuses),
    amount: minorUnits,
    currency,
    orderId: z.string().nullable(),
    customerId: z.string().nullable(),
    reference: z.string().nullable(),
    cardUsed: card.nullable(),
    fraudScore: z.number().min(0).max(1).nullable(),
    attempts: z.array(
      z.object({
        card,
        outcome: z.enum(['captured', 'declined', 'blocked', 'failed', 'voided']),
        code: z.string().nullable(),
        at: time,
      }),
    ),
    refunded: minorUnits,
    providerReference: z.string().nullable(),
    createdAt: time,
  })
  .openapi('Payment');

export const paymentPage = pageOf('Payment', payment);
