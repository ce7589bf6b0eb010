/** Orders and their timelines as clients see them. */
import type { OrderEventRow, OrderLineRow, StoredOrder } from '../../db/orders/queries.js';
import { presentReason } from '../../domain/orders/timeline.js';
import { presentFailure } from '../../domain/refusals.js';
import { viewPayment } from '../shapes/payment.js';
import type { Order, TimelineEntry } from './schemas.js';

export function viewOrder({ order, lines, payment }: StoredOrder): Order {
  return {
    id: order.id,
    status: order.status,
    customer: {
      ...(order.customerId !== null && { id: order.customerId }),
      ...(order.customerName !== null && { name: order.customerName }),
      ...(order.customerEmail !== null && { email: order.customerEmail }),
    },
    lines: lines.map(viewLine),
    total: { amount: order.totalAmount, currency: order.currency },
    payment: payment && viewPayment(payment),
    supplierReference: order.supplierReference,
    expiresAt: order.status === 'draft' || order.status === 'reserved' ? order.expiresAt : null,
    cancelReason: order.cancelReason,
    failure: presentFailure(order),
    workflowId: order.workflowId,
    createdAt: order.createdAt,
    updatedAt: order.updatedAt,
  };
}

function viewLine(line: OrderLineRow): Order['lines'][number] {
  return {
    sku: line.sku,
    quantity: line.quantity,
    unitPrice: { amount: line.unitPriceAmount, currency: line.unitPriceCurrency },
    location: line.location,
    reservationId: line.reservationId,
  };
}

export function viewTimelineEntry({ at, from, to, reason, facts, actor, traceId }: OrderEventRow): TimelineEntry {
  return { at, from, to, reason: presentReason(reason, facts), actor, traceId };
}
