/**
 * The parts of the API's answers that the command line shows. Statuses and kinds are plain text, since a later release of
 * the API may have more of them. Loaded with the first answer (session.ts).
 */
import { z } from 'zod';

const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });

const failure = z.object({ code: z.string(), detail: z.string() });
const money = z.object({ amount: z.number(), currency: z.string() });

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

const plan = z.object({ ...money.shape, interval: z.string() });
const period = z.object({ start: z.string(), end: z.string() });

export const subscription = z.object({
  id: z.string(),
  status: z.string(),
  customerId: z.string(),
  plan,
  currentPeriod: period.nullable(),
  anchor: z.string(),
  cancelAtPeriodEnd: z.boolean(),
  creditBalance: z.number(),
  testClock: z.string().nullable(),
  failure: failure.nullable(),
  createdAt: z.string(),
});
export const subscriptionPage = listOf(subscription);
export const changedSubscription = subscription.extend({
  proration: z.object({ credit: z.number(), charge: z.number(), net: z.number() }).nullable(),
});

const billingRecord = z.object({
  id: z.string(),
  kind: z.string(),
  period,
  amount: z.number(),
  credit: z.number(),
  charged: z.number(),
  paymentId: z.string().nullable(),
  status: z.string(),
  attempts: z.number(),
});
export const billingRecordPage = listOf(billingRecord);

export const testClock = z.object({ id: z.string(), now: z.string(), status: z.string() });

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

export const supplier = z.object({
  id: z.string(),
  name: z.string(),
  active: z.boolean(),
  minOrderQuantity: z.number(),
  maxOrderQuantity: z.number(),
  url: z.string().nullable(),
  createdAt: z.string(),
});

export const supplierPage = listOf(supplier);

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

export const replenishment = z.object({
  id: z.string(),
  sku: z.string(),
  location: z.string(),
  status: z.string(),
  quantity: z.number().nullable(),
  purchaseOrderId: z.string().nullable(),
  failure: failure.nullable(),
  createdAt: z.string(),
});

export const purchaseOrder = z.object({
  id: z.string(),
  supplierId: z.string(),
  supplierOrderId: z.string(),
  status: z.string(),
  items: z.array(z.object({ sku: z.string(), quantity: z.number(), unitPrice: money, totalPrice: money })),
  receivedAt: z.string().nullable(),
});
export const purchaseOrderPage = listOf(purchaseOrder);

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
