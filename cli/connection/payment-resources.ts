/** The parts of answers about refunds, disputes and what guards payments. Loaded with resources.ts. */
import { z } from 'zod';
import { failure, listOf } from './shapes.js';

export const refund = z.object({
  id: z.string(),
  orderId: z.string().nullable(),
  paymentId: z.string().nullable(),
  amount: z.number(),
  currency: z.string(),
  status: z.string(),
  lines: z.array(z.object({ sku: z.string(), quantity: z.number() })),
  restocked: z.boolean(),
  reason: z.string(),
  providerReference: z.string().nullable(),
  failure: failure.nullable(),
  createdAt: z.string(),
});
export const refundPage = listOf(refund);

export const dispute = z.object({
  id: z.string(),
  paymentId: z.string(),
  orderId: z.string().nullable(),
  amount: z.number(),
  currency: z.string(),
  reason: z.string(),
  status: z.string(),
  refundable: z.boolean(),
  openedAt: z.string(),
  closedAt: z.string().nullable(),
  providerReference: z.string(),
});
export const disputePage = listOf(dispute);

const booked = z.record(z.string(), z.unknown()).nullable();

export const reconciliation = z.object({
  id: z.string(),
  status: z.string(),
  compared: z.number(),
  discrepancyCount: z.number(),
  discrepancies: z.array(
    z.object({
      kind: z.string(),
      paymentId: z.string().nullable(),
      providerReference: z.string().nullable(),
      ours: booked,
      theirs: booked,
      action: z.string(),
    }),
  ),
  failure: z.string().nullable(),
});

export const auditPage = listOf(
  z.object({
    at: z.string(),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    outcome: z.string(),
    requestId: z.string().nullable(),
    detail: z.unknown(),
  }),
);

export const fraudRules = z.object({
  rules: z.array(
    z.object({ name: z.string(), kind: z.string(), threshold: z.number(), weight: z.number(), enabled: z.boolean() }),
  ),
});
