import type { CallOptions } from '../http/http.js';

/**
 * A supplier. Every call that changes something has an idempotency key: the same key is the same operation and gets the
 * same answer. Every call may throw a GatewayFault, which leaves open whether anything happened. A malformed answer is
 * a fault, never a yes. `url` is the supplier's address; null: the sandbox.
 */
export interface SupplierGateway {
  /** Asks the supplier to reserve goods. `accepted` promises an attempt, not a delivery. */
  reserve(
    call: SupplierCall & { idempotencyKey: string; sku: string; quantity: number },
    options?: CallOptions,
  ): Promise<SupplierReservation>;
  /** The outcome of a reserve call; null if the supplier never saw it. */
  findReservation(
    call: SupplierCall & { idempotencyKey: string },
    options?: CallOptions,
  ): Promise<SupplierReservation | null>;
  /** Whether the reserved goods are ours now. */
  reservationStatus(call: SupplierCall & { ref: string }, options?: CallOptions): Promise<'ok' | 'fail' | 'delayed'>;
  /**
   * Cancels a reservation, by its reference or by its key. If there is none yet, a reserve call with this key that
   * arrives later makes none.
   */
  cancelReservation(call: SupplierCall & { refOrKey: string }, options?: CallOptions): Promise<void>;
  /** How much can be ordered. */
  availability(
    call: SupplierCall & { sku: string; quantity: number },
    options?: CallOptions,
  ): Promise<{ available: boolean; quantity: number }>;
  placeOrder(
    call: SupplierCall & {
      idempotencyKey: string;
      sku: string;
      quantity: number;
      unitPrice: { amount: number; currency: string };
    },
    options?: CallOptions,
  ): Promise<SupplierOrder>;
  /** The order with this key; null if the supplier never saw it. */
  findOrder(call: SupplierCall & { idempotencyKey: string }, options?: CallOptions): Promise<SupplierOrder | null>;
  orderStatus(
    call: SupplierCall & { supplierOrderId: string },
    options?: CallOptions,
  ): Promise<SupplierOrder['status']>;
  /** Cancels an order, by its id or by its key; `too_late` if it was delivered. */
  cancelOrder(
    call: SupplierCall & { supplierOrderId: string },
    options?: CallOptions,
  ): Promise<'cancelled' | 'too_late'>;
  close(): Promise<void>;
}

export interface SupplierCall {
  readonly url: string | null;
}

export interface SupplierReservation {
  readonly accepted: boolean;
  readonly ref: string;
}

export interface SupplierOrder {
  readonly id: string;
  readonly status: 'ordered' | 'shipped' | 'delivered' | 'cancelled';
}
