/** Examples for the document: transfers, replenishment and verifications. */
import { exampleSku, supplierExample } from './catalogue.js';

const createdAt = '2026-11-21T05:41:07.123456Z';
const updatedAt = '2026-11-21T05:41:08.201733Z';

export const newTransferExample = {
  sku: exampleSku,
  quantity: 10,
  from: 'main',
  to: 'berlin',
  mode: 'shipped',
} as const;
export const transferExample = {
  id: 'trf_01a1fcb89e3d7a6c8b5f4e3d2c1b0a99',
  ...newTransferExample,
  status: 'in_transit',
  reservationId: 'rsv_01a1fcb89e3d7a6c8b5f4e3d2c1b0a9900',
  received: null,
  lost: null,
  reason: null,
  failure: null,
  workflowId: 'transfer/trf_01a1fcb89e3d7a6c8b5f4e3d2c1b0a99',
  createdAt,
  updatedAt,
} as const;
export const pendingTransferExample = { ...transferExample, status: 'pending', reservationId: null } as const;
export const receivedTransferExample = {
  ...transferExample,
  status: 'completed',
  received: 9,
  lost: 1,
  reason: 'one parcel was crushed',
} as const;
export const cancelledTransferExample = { ...transferExample, status: 'cancelled', reason: 'sent by mistake' } as const;

export const replenishmentExample = {
  id: 'rpl_01a1fcc0d5f17b2e9c8d7e6f5a4b3c2d',
  sku: exampleSku,
  location: 'main',
  status: 'running',
  quantity: 58,
  purchaseOrderId: 'po_01a1fcc0d5f17b2e9c8d7e6f5a4b3c2d',
  failure: null,
  createdAt,
  updatedAt,
} as const;

export const purchaseOrderExample = {
  id: replenishmentExample.purchaseOrderId,
  supplierId: supplierExample.id,
  supplierOrderId: 'SO-20417',
  status: 'ordered',
  items: [
    {
      sku: exampleSku,
      quantity: 58,
      unitPrice: { amount: 700, currency: 'USD' },
      totalPrice: { amount: 40600, currency: 'USD' },
    },
  ],
  receivedAt: null,
} as const;

export const runningVerificationExample = {
  id: 'ver_01a1fcc2d47e7b1f9a3c5e6d7f809112',
  status: 'running',
  checked: 310,
  total: 1204,
  clean: null,
  differenceCount: 0,
  differences: [],
  createdAt,
  completedAt: null,
} as const;
export const verificationExample = {
  ...runningVerificationExample,
  status: 'completed',
  checked: 1204,
  clean: true,
  completedAt: '2026-11-21T05:41:09.417002Z',
} as const;
