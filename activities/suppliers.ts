/**
 * What an order asks of suppliers: to put goods aside, what became of that, and the undo. Every call carries a key that is
 * fixed by the order and its line, so that it may be made any number of times.
 */
import type { SupplierGateway, SupplierReservation } from '../gateways/supplier/gateway.js';
import { attemptNumber, callOptions } from './context.js';
import { askGateway, isFirstAttempt, type RetryBudget } from './failures.js';

/** Goods that one line of an order wants of one supplier. */
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
    /** Asks for the goods to be put aside. Later tries look the operation up before they repeat it. */
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

    /** Whether what was put aside is ours now. */
    async supplierStatus(
      operation: SupplierOperation,
      ref: string,
      retryBudget: RetryBudget | null,
    ): Promise<'ok' | 'fail' | 'delayed'> {
      const ask = () => suppliers.reservationStatus({ url: operation.url, ref }, options(operation));
      return askGateway(ask, retryBudget, attemptNumber());
    },

    /** Undoes `reserveAtSupplier`, whatever became of it: by its key, so that no answer is needed. */
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
