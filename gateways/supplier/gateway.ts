import type { CallOptions } from '../http/http.js';

/**
 * A supplier. Calls that change something carry an idempotency key: the same key again is the same deed and gets the same
 * answer. Every call may throw a GatewayFault, which says nothing about whether anything happened; an answer that cannot
 * be understood is one of those, never a yes. `url` is the supplier's address; null: the sandbox.
 */
export interface SupplierGateway {
  /** Asks for goods to be put aside for us. `accepted` is a promise to look, not a delivery. */
  reserve(
    call: SupplierCall & { idempotencyKey: string; sku: string; quantity: number },
    options?: CallOptions,
  ): Promise<SupplierReservation>;
  /** What became of a reserve call: null where the supplier never saw it. */
  findReservation(
    call: SupplierCall & { idempotencyKey: string },
    options?: CallOptions,
  ): Promise<SupplierReservation | null>;
  /** Whether what was put aside is ours now. */
  reservationStatus(call: SupplierCall & { ref: string }, options?: CallOptions): Promise<'ok' | 'fail' | 'delayed'>;
  /**
   * Gives a reservation back, by its reference or by the key that asked for it. Where there is none yet, a call with this
   * key that is still on its way makes none any more.
   */
  cancelReservation(call: SupplierCall & { refOrKey: string }, options?: CallOptions): Promise<void>;
  /** How much there is to order. */
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
  /** The order that a key has placed: null where the supplier never saw it. */
  findOrder(call: SupplierCall & { idempotencyKey: string }, options?: CallOptions): Promise<SupplierOrder | null>;
  orderStatus(
    call: SupplierCall & { supplierOrderId: string },
    options?: CallOptions,
  ): Promise<SupplierOrder['status']>;
  /** Cancels an order that was not delivered, by its id or by the key that placed it; `too_late` where it was delivered. */
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
