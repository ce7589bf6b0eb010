/**
 * The parts of the API's answers that the command line shows. Statuses and kinds are plain text, since a later release of
 * the API may have more of them. Loaded with the first answer (session.ts).
 */
import { z } from 'zod';
import { failure, listOf, money } from './shapes.js';

export * from './payment-resources.js';
export * from './subscription-resources.js';
export * from './supply-resources.js';

export const problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  orderId: z.string().optional(),
  paymentId: z.string().optional(),
  transferId: z.string().optional(),
  subscriptionId: z.string().optional(),
  requestId: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
});

export const product = z.object({
  sku: z.string(),
  name: z.string(),
  price: money,
  status: z.string(),
  reorderPoint: z.number().nullable(),
  maxStock: z.number().nullable(),
  supplierId: z.string().nullable(),
  supplierPrice: money.nullable(),
  createdAt: z.string(),
});
export const productPage = listOf(product);

export const location = z.object({ code: z.string(), name: z.string(), createdAt: z.string() });
export const locationPage = listOf(location);

export const movement = z.object({
  id: z.string(),
  sku: z.string(),
  location: z.string(),
  onHandDelta: z.number(),
  onHandAfter: z.number(),
  reservedAfter: z.number(),
  at: z.string(),
});

const stockSummary = z.object({
  sku: z.string(),
  onHand: z.number(),
  reserved: z.number(),
  available: z.number(),
  inTransit: z.number(),
});

export const stockPage = listOf(stockSummary);

export const stock = stockSummary.extend({
  locations: z.array(
    z.object({ location: z.string(), onHand: z.number(), reserved: z.number(), available: z.number() }),
  ),
  /** The number of open holds; absent for a past moment. */
  reservationCount: z.number().optional(),
  reservations: z
    .array(
      z.object({
        id: z.string(),
        quantity: z.number(),
        location: z.string(),
        expiresAt: z.string().nullable(),
        orderId: z.string().nullable(),
      }),
    )
    .optional(),
});

const paymentOfOrder = z.object({
  id: z.string(),
  status: z.string(),
  amount: z.number(),
  currency: z.string(),
  cardUsed: z.string().nullable(),
  attempts: z.array(z.object({ card: z.string(), outcome: z.string(), code: z.string().nullable(), at: z.string() })),
});

const address = z.record(z.string(), z.string()).nullable();

export const order = z.object({
  id: z.string(),
  status: z.string(),
  customer: z.object({ id: z.string().optional(), name: z.string().optional(), email: z.string().optional() }),
  lines: z.array(
    z.object({
      sku: z.string(),
      name: z.string().nullable(),
      quantity: z.number(),
      unitPrice: money,
      discount: z.number(),
      tax: z.number(),
      total: money,
      location: z.string(),
      reservationId: z.string().nullable(),
    }),
  ),
  charges: z.array(z.object({ kind: z.string(), name: z.string(), amount: z.number(), tax: z.number() })),
  taxesIncluded: z.boolean(),
  subtotal: money,
  discountTotal: money,
  taxTotal: money,
  chargeTotal: money,
  total: money,
  shippingAddress: address,
  billingAddress: address,
  externalReference: z.string().nullable(),
  channel: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  tags: z.array(z.string()),
  note: z.string().nullable(),
  payment: paymentOfOrder.nullable(),
  supplierReference: z.string().nullable(),
  expiresAt: z.string().nullable(),
  cancelReason: z.string().nullable(),
  failure: failure.nullable(),
  workflowId: z.string(),
  createdAt: z.string(),
});
export const orderPage = listOf(order);
export type Order = z.infer<typeof order>;

const timelineEntry = z.object({
  at: z.string(),
  from: z.string().nullable(),
  to: z.string(),
  reason: z.string().nullable(),
  actor: z.string(),
});

export const timelinePage = listOf(timelineEntry);

export const transfer = z.object({
  id: z.string(),
  sku: z.string(),
  quantity: z.number(),
  from: z.string(),
  to: z.string(),
  mode: z.string(),
  status: z.string(),
  received: z.number().nullable(),
  lost: z.number().nullable(),
  reason: z.string().nullable(),
  failure: failure.nullable(),
  workflowId: z.string(),
  createdAt: z.string(),
});
export const transferPage = listOf(transfer);
export type Transfer = z.infer<typeof transfer>;

export const bulkResult = z.object({
  results: z.array(
    z.object({
      success: z.boolean(),
      result: z
        .object({
          reservationId: z.string().optional(),
          onHand: z.number(),
          reserved: z.number(),
          available: z.number(),
        })
        .optional(),
      error: failure.optional(),
    }),
  ),
});

export const expired = z.object({ expired: z.number() });

export const verification = z.object({
  id: z.string(),
  status: z.string(),
  checked: z.number(),
  total: z.number(),
  clean: z.boolean().nullable(),
  differenceCount: z.number(),
  differences: z.array(
    z.object({
      sku: z.string(),
      location: z.string(),
      what: z.string(),
      expected: z.number(),
      found: z.number(),
    }),
  ),
});

export const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
  createdBy: z.string().nullable(),
  revokedBy: z.string().nullable(),
});

export const apiKeyPage = listOf(apiKey);

export const newApiKey = apiKey.extend({ key: z.string().nullable() });

export const review = z.object({
  detail: z.unknown(),
  resolution: z.unknown(),
  id: z.string(),
  kind: z.string(),
  subject: z.string(),
  status: z.string(),
  attempts: z.number(),
  lastError: z.string().nullable(),
  createdAt: z.string(),
});

export const reviewPage = listOf(review);
