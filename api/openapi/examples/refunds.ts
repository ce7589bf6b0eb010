/** Examples for the document: refunds and disputes. */
import { exampleSku } from './catalogue.js';
import { paymentExample } from './sales.js';

export const newOrderRefundExample = {
  lines: [{ sku: exampleSku, quantity: 1 }],
  restock: true,
  reason: 'one does not fit',
} as const;
export const newPaymentRefundExample = { amount: 1999, reason: 'one does not fit' } as const;

export const refundExample = {
  id: 'rfd_01a1fcb90d5c7e21b4f6a7081929304b',
  orderId: paymentExample.orderId,
  paymentId: paymentExample.id,
  amount: 1999,
  currency: 'USD',
  status: 'succeeded',
  lines: [{ sku: exampleSku, quantity: 1, amount: 1999, location: 'main' }],
  charges: false,
  restocked: true,
  reason: 'one does not fit',
  providerReference: 're_3b1lS8bS2cQ0w4Zt',
  failure: null,
  createdAt: '2026-11-23T09:12:44.120501Z',
  settledAt: '2026-11-23T09:12:44.391277Z',
} as const;

export const paymentRefundExample = { ...refundExample, lines: [], restocked: false } as const;
export const pendingRefundExample = { ...refundExample, status: 'pending', restocked: false, settledAt: null } as const;

export const disputeExample = {
  id: 'dsp_4f1d2c3b0a9e8d7c6b5a4938271605f4',
  paymentId: paymentExample.id,
  orderId: paymentExample.orderId,
  amount: 4918,
  currency: 'USD',
  reason: 'fraudulent',
  status: 'open',
  refundable: false,
  openedAt: '2026-11-25T16:03:10.000000Z',
  closedAt: null,
  providerReference: 'dp_7b1lS8bS2cQ0w4Zt',
} as const;

export const runningReconciliationExample = {
  id: 'rcn_01a1fcd2e47e7b1f9a3c5e6d7f809112',
  status: 'running',
  from: '2026-11-20T00:00:00.000000Z',
  to: '2026-11-21T00:00:00.000000Z',
  compared: 0,
  discrepancyCount: 0,
  discrepancies: [],
  failure: null,
  createdAt: '2026-11-21T05:41:07.123456Z',
  completedAt: null,
} as const;
export const reconciliationExample = {
  ...runningReconciliationExample,
  status: 'completed',
  compared: 412,
  discrepancyCount: 1,
  discrepancies: [
    {
      kind: 'refund_missing_here',
      gateway: 'sandbox',
      paymentId: paymentExample.id,
      providerReference: 're_3b1lS8bS2cQ0w4Zt',
      ours: null,
      theirs: { amount: 700, status: 'succeeded' },
      action: 'repaired',
    },
  ],
  completedAt: '2026-11-21T05:41:09.417002Z',
} as const;
