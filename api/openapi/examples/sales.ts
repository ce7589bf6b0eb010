/** Examples for the document: an order with its payment and timeline, a review, an API key. */
import { exampleSku, holdExample } from './catalogue.js';

const orderId = holdExample.orderId;
const createdAt = '2026-11-21T05:41:07.123456Z';
const updatedAt = '2026-11-21T05:41:08.201733Z';

const usd = (amount: number) => ({ amount, currency: 'USD' }) as const;

export const paymentExample = {
  id: 'pay_01a1fca5c20b7f1e9d3a4b5c6d7e8f90',
  status: 'captured',
  amount: 4918,
  currency: 'USD',
  orderId,
  customerId: 'cus_1001',
  reference: null,
  cardUsed: 'primary',
  fraudScore: 0.1,
  attempts: [{ card: 'primary', outcome: 'captured', code: null, at: updatedAt }],
  gateway: 'sandbox',
  refunded: 0,
  refundPending: 0,
  disputes: [],
  fraud: { score: 0.1, rules: [] },
  providerReference: 'auth_5Z7ZicCDM23OX3qt',
  createdAt,
} as const;

export const ownPaymentExample = { ...paymentExample, orderId: null, reference: 'invoice 2026-1117' } as const;
export const newPaymentExample = {
  amount: 3998,
  currency: 'USD',
  cardToken: 'tok_visa',
  customerId: 'cus_1001',
  email: 'ada@example.com',
  reference: 'invoice 2026-1117',
} as const;
export const pendingPaymentExample = {
  ...ownPaymentExample,
  status: 'pending',
  cardUsed: null,
  fraudScore: null,
  fraud: { score: null, rules: [] },
  attempts: [],
  providerReference: null,
} as const;

const customer = { id: 'cus_1001', name: 'Ada Lovelace', email: 'ada@example.com' } as const;
const address = {
  name: 'Ada Lovelace',
  line1: '12 St James’s Square',
  city: 'London',
  postalCode: 'SW1Y 4JH',
  country: 'GB',
} as const;
export const newOrderExample = {
  customer,
  lines: [{ sku: exampleSku, quantity: 2, discount: 400, tax: 720, name: 'T-shirt, M' }],
  charges: [{ kind: 'shipping', name: 'Standard shipping', amount: 500, tax: 100 }],
  shippingAddress: address,
  externalReference: 'web-10017',
  metadata: { campaign: 'spring' },
  tags: ['gift'],
  expectedTotal: { amount: 4918, currency: 'USD' },
  payment: { cardToken: 'tok_visa' },
  confirm: true,
} as const;

export const orderExample = {
  id: orderId,
  status: 'confirmed',
  customer,
  lines: [
    {
      sku: exampleSku,
      name: 'T-shirt, M',
      quantity: 2,
      unitPrice: usd(1999),
      subtotal: usd(3998),
      discount: 400,
      tax: 720,
      total: usd(4318),
      location: 'main',
      reservationId: holdExample.id,
    },
  ],
  charges: [{ kind: 'shipping', name: 'Standard shipping', amount: 500, tax: 100 }],
  taxesIncluded: false,
  subtotal: usd(3998),
  discountTotal: usd(400),
  taxTotal: usd(820),
  chargeTotal: usd(500),
  total: usd(4918),
  shippingAddress: address,
  billingAddress: null,
  externalReference: 'web-10017',
  channel: null,
  metadata: { campaign: 'spring' },
  tags: ['gift'],
  note: null,
  payment: paymentExample,
  supplierReference: null,
  expiresAt: null,
  cancelReason: null,
  failure: null,
  workflowId: `order/${orderId}`,
  createdAt,
  updatedAt,
} as const;

export const reservedOrderExample = {
  ...orderExample,
  status: 'reserved',
  payment: null,
  expiresAt: holdExample.expiresAt,
} as const;
export const confirmingOrderExample = { ...orderExample, status: 'confirming', payment: null } as const;
export const pendingOrderExample = {
  ...reservedOrderExample,
  status: 'pending',
  lines: orderExample.lines.map((line) => ({ ...line, reservationId: null })),
  expiresAt: null,
} as const;
export const cancelledOrderExample = {
  ...reservedOrderExample,
  status: 'cancelled',
  expiresAt: null,
  cancelReason: 'ordered twice',
} as const;

const entry = {
  reason: null,
  actor: 'api_key:key_01a1fc9f5d0a7d3b8f5c0a3e2b1d4c6f',
  traceId: '0af7651916cd43dd8448eb211c80319c',
} as const;
export const timelineExample = {
  items: [
    { at: createdAt, from: null, to: 'pending', ...entry },
    { at: createdAt, from: 'pending', to: 'reserved', ...entry },
  ],
  nextCursor: null,
} as const;

export const reviewExample = {
  id: 'rev_01a1fcb2c3d47e5f8a9b0c1d2e3f4a5b',
  kind: 'compensation_failed',
  subject: `order/${orderId}`,
  detail: { compensation: 'undo the payment', paymentId: paymentExample.id },
  status: 'open',
  attempts: 5,
  lastError: 'the card processor answered 500',
  createdAt: updatedAt,
  resolution: null,
} as const;
export const resolvedReviewExample = {
  ...reviewExample,
  status: 'resolved',
  resolution: { by: 'person', resolution: 'done', note: 'refunded in the processor’s own pages' },
} as const;

export const keyExample = {
  id: 'key_01a1fc9f5d0a7d3b8f5c0a3e2b1d4c6f',
  name: 'web shop',
  scopes: ['orders:read', 'orders:write'],
  createdAt,
  revokedAt: null,
  createdBy: 'operator',
  revokedBy: null,
} as const;
