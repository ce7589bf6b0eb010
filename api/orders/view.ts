/** Orders and their timelines as clients see them. */
import type { OrderEventRow, OrderLineRow, StoredOrder } from '../../db/orders/queries.js';
import { presentReason } from '../../domain/orders/timeline.js';
import { presentFailure } from '../../domain/refusals.js';
import { viewPayment } from '../shapes/payment.js';
import { viewLineMoney, viewTotals } from './money-view.js';
import type { Order, TimelineEntry } from './schemas.js';

export function viewOrder({ order, lines, payment, disputes, fraudRules }: StoredOrder): Order {
  const totals = {
    subtotal: order.subtotalAmount ?? order.totalAmount,
    discountTotal: order.discountAmount,
    taxTotal: order.taxAmount,
    chargeTotal: order.chargeAmount,
    total: order.totalAmount,
  };
  return {
    id: order.id,
    status: order.status,
    customer: {
      ...(order.customerId !== null && { id: order.customerId }),
      ...(order.customerName !== null && { name: order.customerName }),
      ...(order.customerEmail !== null && { email: order.customerEmail }),
    },
    lines: lines.map((line) => viewLine(line, order.taxesIncluded)),
    charges: order.charges,
    taxesIncluded: order.taxesIncluded,
    ...viewTotals(totals, order.currency),
    shippingAddress: order.shippingAddress,
    billingAddress: order.billingAddress,
    externalReference: order.externalReference,
    channel: order.channel,
    metadata: order.metadata,
    tags: order.tags,
    note: order.note,
    payment: payment && viewPayment({ ...payment, disputes, fraudRules }),
    supplierReference: order.supplierReference,
    expiresAt: order.status === 'draft' || order.status === 'reserved' ? order.expiresAt : null,
    cancelReason: order.cancelReason,
    failure: presentFailure(order),
    workflowId: order.workflowId,
    createdAt: order.createdAt,
    updatedAt: order.updatedAt,
  };
}

function viewLine(line: OrderLineRow, taxesIncluded: boolean): Order['lines'][number] {
  const { sku, name, quantity, discount, tax, location, reservationId } = line;
  const money = { quantity, unitPrice: line.unitPriceAmount, discount, tax };
  return {
    sku,
    name,
    quantity,
    ...viewLineMoney(money, line.unitPriceCurrency, taxesIncluded),
    location,
    reservationId,
  };
}

export function viewTimelineEntry({ at, from, to, reason, facts, actor, traceId }: OrderEventRow): TimelineEntry {
  return { at, from, to, reason: presentReason(reason, facts), actor, traceId };
}
