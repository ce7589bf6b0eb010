/** The first step of an order, as the workflow calls it. */
import { randomUUID } from 'node:crypto';
import type { OrderStep } from '../../../domain/orders/steps.js';

/** The key of an order's step and its actor. */
export const stepBy = (orderId: string, key: string) => ({
  key: `order/${orderId}/${key}`,
  orderId,
  actor: 'test',
  traceId: '',
});

/** Opens a new order with these lines at `main`. */
export function orderOpening(lines: readonly { sku: string; quantity: number }[]): OrderStep & { step: 'open' } {
  const orderId = `ord_${randomUUID()}`;
  return {
    step: 'open',
    ...stepBy(orderId, 'open'),
    workflowId: `order/${orderId}`,
    customer: null,
    lines: lines.map((line) => ({ ...line, location: 'main', reservationId: `rsv_${randomUUID()}` })),
    holdSeconds: 900,
    draftSeconds: 900,
    confirming: false,
    payment: null,
  };
}
