/** The shapes of the sandbox processor's answers. */
import { z } from 'zod';
import { disputeStatuses } from '../../domain/payments/disputes.js';
import { refundStatuses } from '../../domain/payments/refunds.js';
import { providerId, providerText } from '../http/answers.js';

export const authorized = z.object({ authorizationId: providerId, status: z.literal('authorized') });
export const captured = z.object({ status: z.literal('captured') });
export const storedCard = z.object({ stored: z.literal(true) });
export const voided = z.object({ status: z.literal('voided') });
/** A refund may still be pending, or fail later. */
export const refunded = z.object({
  status: z.enum(['refunded', 'pending', 'failed']),
  refundId: providerId,
  failure: z.object({ code: providerId, detail: providerText }).optional(),
});
export const operationFound = z.object({
  kind: providerId,
  answer: z.object({ status: z.int(), body: z.unknown() }),
});

const time = z.iso.datetime();
/** Minor units, as far as a sum of them is exact. */
const money = z.int().min(0).max(1e12);

const refund = z.object({
  refundId: providerId,
  amount: money,
  status: z.enum(refundStatuses),
  failure: providerText.nullable(),
  idempotencyKey: providerId.nullable(),
  at: time,
});
const dispute = z.object({
  id: providerId,
  amount: money,
  reason: providerText,
  status: z.enum(disputeStatuses),
  refundable: z.boolean(),
  openedAt: time,
  closedAt: time.nullable(),
});

export const books = z.object({
  authorizationId: providerId,
  status: z.enum(['authorized', 'captured', 'voided', 'declined']),
  amount: money,
  currency: z.string().regex(/^[A-Z]{3}$/),
  reference: providerText,
  captured: money,
  refunded: money,
  voided: z.boolean(),
  expired: z.boolean(),
  createdAt: time,
  refundable: z.boolean(),
  refunds: z.array(refund),
  disputes: z.array(dispute),
  calls: z.array(z.object({ kind: providerId, idempotencyKey: providerId })),
});

/** A page of the list of payments, by their changes. */
export const changesPage = z.object({
  items: z.array(books),
  nextCursor: z.string().max(1000).nullable(),
  until: time,
});
