/** The steps of a replenishment: calls to the supplier, and their records in Postgres. */
import { log } from '@temporalio/activity';
import type { Sql } from '../db/postgres/client.js';
import { markShipped, type RecordedOrder, receiveDelivery, recordPurchaseOrder } from '../db/supply/purchase-orders.js';
import { type PlanRequest, planReplenishment } from '../db/supply/replenishment-plan.js';
import { type FailureReport, failReplenishment, reduceQuantity, reportFailure } from '../db/supply/replenishments.js';
import type { PlanResult, ReplenishmentFailure, RunningReplenishment } from '../domain/replenishment.js';
import { presentable } from '../gateways/http/fault.js';
import type { SupplierGateway, SupplierOrder } from '../gateways/supplier/gateway.js';
import { attemptNumber, callOptions } from './context.js';
import { askGateway, type RetryBudget } from './failures.js';

/** Observes replenishments, for metrics. Each event is reported once, by the call that caused it. */
export interface ReplenishmentObserver {
  /** An order was placed. @param delaySeconds since it was planned */
  ordered(delaySeconds: number): void;
  /** Goods were received. @param delaySeconds since they were ordered */
  delivered(delaySeconds: number): void;
  failed(): void;
}

export interface ReplenishmentDependencies {
  readonly sql: Sql;
  readonly suppliers: SupplierGateway;
  readonly gatewayTimeoutSeconds: number;
  readonly observer: ReplenishmentObserver;
}

/** One call to a supplier on behalf of a replenishment. */
export interface SupplierAsking {
  readonly replenishment: RunningReplenishment;
  readonly traceparent: string;
}

export function replenishmentActivities(given: ReplenishmentDependencies) {
  const { sql, suppliers, observer } = given;
  const ask = <T>(retryBudget: RetryBudget | null, call: () => Promise<T>) =>
    askGateway(call, retryBudget, attemptNumber());
  const options = ({ traceparent }: SupplierAsking) => callOptions(given.gatewayTimeoutSeconds, traceparent);

  return {
    planReplenishment: (request: PlanRequest): Promise<PlanResult> => planReplenishment(sql, request),

    /** The quantity that the supplier has, at most the planned one. */
    async askAvailability(asking: SupplierAsking, retryBudget: RetryBudget | null): Promise<number> {
      const { supplierUrl: url, sku, quantity } = asking.replenishment;
      return ask(retryBudget, async () => {
        const has = await suppliers.availability({ url, sku, quantity }, options(asking));
        return has.available ? Math.min(quantity, has.quantity) : 0;
      });
    },

    reduceQuantity: (id: string, quantity: number) => reduceQuantity(sql, id, quantity),

    /** The order that this replenishment has placed; null where the supplier knows none. */
    async findSupplierOrder(asking: SupplierAsking, retryBudget: RetryBudget | null): Promise<SupplierOrder | null> {
      const { supplierUrl: url, id: idempotencyKey } = asking.replenishment;
      return ask(retryBudget, () => suppliers.findOrder({ url, idempotencyKey }, options(asking)));
    },

    /** Places the order, once for each replenishment: an order whose answer was lost is found by its key. */
    async placeSupplierOrder(asking: SupplierAsking, retryBudget: RetryBudget | null): Promise<SupplierOrder> {
      const { supplierUrl: url, id: idempotencyKey, sku, quantity, unitPrice } = asking.replenishment;
      return ask(
        retryBudget,
        async () =>
          (await suppliers.findOrder({ url, idempotencyKey }, options(asking))) ??
          (await suppliers.placeOrder({ url, idempotencyKey, sku, quantity, unitPrice }, options(asking))),
      );
    },

    /**
     * Undoes `placeSupplierOrder`, whatever its outcome. Cancels the order by its key; the supplier then rejects one that
     * still arrives under it. Returns the order if it is already delivered, else null.
     */
    async cancelSupplierOrder(asking: SupplierAsking): Promise<SupplierOrder | null> {
      const { supplierUrl: url, id: key } = asking.replenishment;
      return ask(null, async () => {
        const cancelled = await suppliers.cancelOrder({ url, supplierOrderId: key }, options(asking));
        if (cancelled === 'cancelled') return null;
        return await suppliers.findOrder({ url, idempotencyKey: key }, options(asking));
      });
    },

    /** The status of the order at the supplier. */
    async askDelivery(asking: SupplierAsking, retryBudget: RetryBudget | null): Promise<SupplierOrder['status']> {
      const { supplierUrl: url, purchaseOrder } = asking.replenishment;
      if (purchaseOrder === null) throw new Error(`${asking.replenishment.id} has no purchase order to ask after`);
      const { supplierOrderId } = purchaseOrder;
      return ask(retryBudget, () => suppliers.orderStatus({ url, supplierOrderId }, options(asking)));
    },

    async recordPurchaseOrder(
      planned: RunningReplenishment,
      supplierOrderId: string,
      workflowId: string,
    ): Promise<RecordedOrder> {
      const made = await recordPurchaseOrder(sql, planned, supplierOrderId, workflowId);
      if (made.delaySeconds !== null) {
        observer.ordered(made.delaySeconds);
        log.info('purchase order placed', { replenishmentId: planned.id, purchaseOrderId: made.id });
      }
      return made;
    },

    markShipped: (purchaseOrderId: string) => markShipped(sql, purchaseOrderId),

    /** Receives the goods, once however often they are reported; `closed` where the order is no longer open. */
    async receiveDelivery(purchaseOrderId: string, actor: string): Promise<'received' | 'closed'> {
      const delivery = await receiveDelivery(sql, purchaseOrderId, actor);
      if (delivery.outcome === 'received' && delivery.delaySeconds !== null) {
        observer.delivered(delivery.delaySeconds);
        log.info('purchase order received', { purchaseOrderId });
      }
      return delivery.outcome;
    },

    /** Opens a review and notifies the managers that nothing could be ordered. A repetition does neither. */
    reportReplenishmentFailure: (report: FailureReport): Promise<void> =>
      reportFailure(sql, { ...report, lastError: presentable(report.lastError ?? report.detail) }),

    /** Fails the replenishment and its purchase order. A repetition changes nothing. */
    async failReplenishment(
      id: string,
      failure: ReplenishmentFailure,
      orderStatus: 'cancelled' | 'failed',
    ): Promise<void> {
      if (!(await failReplenishment(sql, id, failure, orderStatus))) return;
      observer.failed();
      log.warn('replenishment failed', { replenishmentId: id, ...failure });
    },
  };
}

export type ReplenishmentActivities = ReturnType<typeof replenishmentActivities>;
