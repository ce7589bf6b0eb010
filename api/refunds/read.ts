/** Reads refunds: from Postgres or, before their saga has written anything, from its input. */

import { getOrder } from '../../db/orders/queries.js';
import { getPayment } from '../../db/payments/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { getRefund, type RefundRow } from '../../db/refunds/queries.js';
import { refusal } from '../../domain/errors.js';
import { presentFailure } from '../../domain/refusals.js';
import { type RefundInput, refundWorkflowId } from '../../workflows/refund/contract.js';
import type { SagaResource } from '../temporal/saga-resource.js';
import type { Refund } from './schemas.js';

export const refunds: SagaResource<Refund, RefundInput> = {
  noun: 'refund',
  idMember: 'refundId',
  path: '/api/refunds',
  workflowId: refundWorkflowId,
  stored: async (db, id) => {
    const stored = await getRefund(db, id);
    if (!stored) return null;
    const view = viewRefund(stored);
    const { failure } = view;
    // Only these two are refusals: a processor's code for a failed refund may be spelled like one of ours.
    const refused = failure?.code === 'over_refund' || failure?.code === 'payment_disputed' ? failure.code : null;
    return { view, refusal: refused && refusal(refused, failure?.detail ?? '') };
  },
  pending: pendingRefund,
  // A client that did not wait for the decision has its id.
  refused: async (db, input, { code, detail }) => ({
    ...(await pendingRefund(db, input)),
    ...{ status: 'failed', failure: { code, detail }, settledAt: input.requestedAt },
  }),
  isUndecided: ({ status }) => status === 'pending',
  alwaysWritten: false,
};

export function viewRefund(row: RefundRow): Refund {
  return {
    id: row.id,
    orderId: row.orderId,
    paymentId: row.paymentId,
    amount: row.amount,
    currency: row.currency,
    status: row.status,
    lines: row.lines.map(({ sku, quantity, amount, location }) => ({ sku, quantity, amount, location })),
    charges: row.charges,
    restocked: row.restocked,
    reason: row.reason,
    providerReference: row.providerReference,
    failure: presentFailure(row),
    createdAt: row.createdAt,
    settledAt: row.settledAt,
  };
}

/** The refund as it was asked for. What its lines come to is decided when it reserves them. */
async function pendingRefund(db: Database, input: RefundInput): Promise<Refund> {
  const { orderId, paymentId, request } = input;
  const order = orderId === null ? null : await getOrder(db, orderId);
  const payment = paymentId === null ? (order?.payment ?? null) : await getPayment(db, paymentId);
  return {
    id: input.refundId,
    orderId: orderId ?? payment?.orderId ?? null,
    paymentId: payment?.id ?? null,
    amount: request.amount ?? 0,
    currency: payment?.currency ?? order?.order.currency ?? 'USD',
    status: 'pending',
    lines: [],
    charges: request.charges,
    restocked: false,
    reason: input.reason,
    providerReference: null,
    failure: null,
    createdAt: input.requestedAt,
    settledAt: null,
  };
}
