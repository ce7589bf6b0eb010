/** The steps of a replenishment: what is asked of the supplier, and what is written down about it. */
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

/** Counts what happens, for metrics. Each event is reported once, by the call that made it true. */
export interface ReplenishmentObserver {
  /** An order was placed so long after it was planned. */
  ordered(delaySeconds: number): void;
  /** Goods were received so long after they were ordered. */
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

    /** How much of what is wanted the supplier has; 0 where it has none. */
    async askAvailability(asking: SupplierAsking, retryBudget: RetryBudget | null): Promise<number> {
      const { supplierUrl: url, sku, quantity } = asking.replenishment;
      return ask(retryBudget, async () => {
        const has = await suppliers.availability({ url, sku, quantity }, options(asking));
        return has.available ? Math.min(quantity, has.quantity) : 0;
      });
    },

    reduceQuantity: (id: string, quantity: number) => reduceQuantity(sql, id, quantity),

    /** The order that this replenishment has placed; null where the supplier has none. */
    async findSupplierOrder(asking: SupplierAsking, retryBudget: RetryBudget | null): Promise<SupplierOrder | null> {
      const { supplierUrl: url, id: idempotencyKey } = asking.replenishment;
      return ask(retryBudget, () => suppliers.findOrder({ url, idempotencyKey }, options(asking)));
    },

    /** Orders, once for each replenishment: an order whose answer was lost is found by its key. Undone by the next one. */
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
     * Undoes `placeSupplierOrder`, whatever became of it: the order is cancelled by its key, and one that is still on its
     * way to the supplier is not made any more. Answers the order where it was delivered already and stands.
     */
    async cancelSupplierOrder(asking: SupplierAsking): Promise<SupplierOrder | null> {
      const { supplierUrl: url, id: key } = asking.replenishment;
      return ask(null, async () => {
        const cancelled = await suppliers.cancelOrder({ url, supplierOrderId: key }, options(asking));
        if (cancelled === 'cancelled') return null;
        return await suppliers.findOrder({ url, idempotencyKey: key }, options(asking));
      });
    },

    /** What has become of the order, in the supplier's words. */
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

    /** Receives the goods, once however often they are reported; `closed` where the order was given up before. */
    async receiveDelivery(purchaseOrderId: string, actor: string): Promise<'received' | 'closed'> {
      const delivery = await receiveDelivery(sql, purchaseOrderId, actor);
      if (delivery.outcome === 'received' && delivery.delaySeconds !== null) {
        observer.delivered(delivery.delaySeconds);
        log.info('purchase order received', { purchaseOrderId });
      }
      return delivery.outcome;
    },

    /** Tells a person and the managers that nothing could be ordered. The same again tells nobody. */
    reportReplenishmentFailure: (report: FailureReport): Promise<void> =>
      reportFailure(sql, { ...report, lastError: presentable(report.lastError ?? report.detail) }),

    /** Ends it as failed, with its purchase order; the same again changes nothing. */
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
