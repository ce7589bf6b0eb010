/**
 * An order's calls to suppliers: reserve goods, ask for the status, cancel. The order and its line fix the key of each
 * reservation, so any call may be repeated.
 */
import type { SupplierGateway, SupplierReservation } from '../gateways/supplier/gateway.js';
import { attemptNumber, callOptions } from './context.js';
import { askGateway, isFirstAttempt, type RetryBudget } from './failures.js';

/** Goods that one line of an order needs from one supplier. */
export interface SupplierOperation {
  /** The supplier's address; null: the sandbox. */
  readonly url: string | null;
  readonly idempotencyKey: string;
  readonly sku: string;
  readonly quantity: number;
  readonly traceparent: string;
}

export function supplierActivities(suppliers: SupplierGateway, gatewayTimeoutSeconds: number) {
  const options = (operation: SupplierOperation) => callOptions(gatewayTimeoutSeconds, operation.traceparent);

  return {
    /** Reserves the goods. Later attempts look the reservation up before they repeat it. */
    async reserveAtSupplier(
      operation: SupplierOperation,
      retryBudget: RetryBudget | null,
    ): Promise<SupplierReservation> {
      const { url, idempotencyKey, sku, quantity } = operation;
      return askGateway(
        async () =>
          (isFirstAttempt(retryBudget)
            ? null
            : await suppliers.findReservation({ url, idempotencyKey }, options(operation))) ??
          (await suppliers.reserve({ url, idempotencyKey, sku, quantity }, options(operation))),
        retryBudget,
        attemptNumber(),
      );
    },

    /** Whether the reserved goods have arrived. */
    async supplierStatus(
      operation: SupplierOperation,
      ref: string,
      retryBudget: RetryBudget | null,
    ): Promise<'ok' | 'fail' | 'delayed'> {
      const ask = () => suppliers.reservationStatus({ url: operation.url, ref }, options(operation));
      return askGateway(ask, retryBudget, attemptNumber());
    },

    /** Undoes `reserveAtSupplier`, whatever its outcome: the key suffices, no answer is needed. */
    async cancelAtSupplier(operation: SupplierOperation): Promise<void> {
      const { url, idempotencyKey } = operation;
      await askGateway(
        () => suppliers.cancelReservation({ url, refOrKey: idempotencyKey }, options(operation)),
        null,
        1,
      );
    },
  };
}

export type SupplierActivities = ReturnType<typeof supplierActivities>;
