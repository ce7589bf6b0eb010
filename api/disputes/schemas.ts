import { z } from 'zod';
import { id, pageOf, pageQuery } from '../http/schemas.js';
import { dispute, disputeStatus } from '../shapes/dispute.js';

export const disputeId = z.strictObject({ id: id('dsp') });
export const disputeQuery = z.strictObject({
  status: disputeStatus.openapi({ description: 'Only disputes of this status.', example: 'open' }).optional(),
  paymentId: id('pay').openapi({ description: 'Only disputes of this payment.' }).optional(),
  ...pageQuery,
});
export const disputePage = pageOf('Dispute', dispute);
