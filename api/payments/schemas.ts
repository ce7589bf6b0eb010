import { z } from 'zod';
import { maxCustomerIdLength, maxReferenceLength } from '../../domain/limits.js';
import { currency, id, minorUnits, pageOf, pageQuery, text } from '../http/schemas.js';
import { backupCardToken, cardToken, email, payment } from '../shapes/payment.js';

export const paymentId = z.strictObject({ id: id('pay') });
export const paymentQuery = z.strictObject({
  customerId: text(maxCustomerIdLength)
    .openapi({ description: 'Only payments of this customer.', example: 'cus_1001' })
    .optional(),
  ...pageQuery,
});

export const newPayment = z.strictObject({
  amount: minorUnits.min(1),
  currency,
  cardToken,
  backupCardToken: backupCardToken.optional(),
  customerId: text(maxCustomerIdLength)
    .openapi({ description: 'Your own id for the customer.', example: 'cus_1001' })
    .optional(),
  email: email.optional(),
  reference: text(maxReferenceLength)
    .openapi({ description: 'Your own note.', example: 'invoice 2026-1117' })
    .optional(),
});

export const paymentPage = pageOf('Payment', payment);
