/**
 * The operations of the stock ledger and their results. Postgres decides them in one transaction and under lock
 * (db/functions/03_stock.sql).
 */

/** Matches a SKU or a location code. */
export const codePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The default location of goods, which always exists. */
export const mainLocation = 'main';
/** The location of goods in transit. Virtual: never counted as available, never listed. */
export const transitLocation = 'transit';

export const ledgerKinds = [
  'received',
  'reserved',
  'confirmed',
  'cancelled',
  'expired',
  'consumed',
  'adjusted',
  'transferred_out',
  'transferred_in',
  'lost',
  'returned',
] as const;
export type LedgerKind = (typeof ledgerKinds)[number];

export const reservationStatuses = ['pending', 'confirmed', 'cancelled', 'expired'] as const;
export type ReservationStatus = (typeof reservationStatuses)[number];

/** Where a verification of the ledger stands. */
export const verificationStatuses = ['running', 'completed', 'cancelled'] as const;
export type VerificationStatus = (typeof verificationStatuses)[number];

/**
 * A command to the ledger.
 * - `receive`, `return`, `transfer_in` add to on hand; `consume`, `transfer_out`, `lose` take from on hand what is not
 *   reserved; `adjust` does either by the sign of `delta`.
 * - `reserve` creates a hold that expires after `holdSeconds` (null: never).
 * - `confirm` takes the held goods out of stock; `cancel` releases the hold (or `quantity` of it); `expire` releases it only
 *   if it is overdue.
 * - `hold` renews a pending hold's expiry, counted from now (null: it no longer expires). It moves nothing, so it writes no
 *   ledger row.
 */
export type StockCommand =
  | {
      readonly kind: 'receive' | 'return' | 'consume' | 'transfer_out' | 'transfer_in' | 'lose';
      readonly sku: string;
      readonly location: string;
      readonly quantity: number;
    }
  | { readonly kind: 'adjust'; readonly sku: string; readonly location: string; readonly delta: number }
  | {
      readonly kind: 'reserve';
      readonly reservationId: string;
      readonly sku: string;
      readonly location: string;
      readonly quantity: number;
      readonly holdSeconds: number | null;
      readonly orderId?: string | null;
    }
  | { readonly kind: 'confirm' | 'expire'; readonly reservationId: string }
  | { readonly kind: 'cancel'; readonly reservationId: string; readonly quantity?: number }
  | { readonly kind: 'hold'; readonly reservationId: string; readonly holdSeconds: number | null };

/**
 * Commands that are done together or not at all, under one key. An operation with a known key does nothing and returns the
 * first result, even a refusal.
 */
export interface StockOperation {
  readonly key: string;
  readonly commands: readonly StockCommand[];
  /** Who asked: `api_key:<id>`, `workflow:<id>`, `sweep`. */
  readonly actor: string;
  /** The order, purchase order or transfer that this belongs to. */
  readonly reference?: string | null;
  readonly reason?: string | null;
  /** Notifies the warehouse if the operation's commands together move more units than this. */
  readonly announceAbove?: number;
}

/** A row of the ledger, written by a command. */
export interface Movement {
  readonly id: string;
  readonly sku: string;
  readonly location: string;
  readonly kind: LedgerKind;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  readonly onHandAfter: number;
  readonly reservedAfter: number;
  readonly reservationId: string | null;
  readonly reference: string | null;
  readonly reason: string | null;
  readonly actor: string;
  /** RFC 3339, UTC, microseconds. */
  readonly at: string;
}

/** A hold after the operation. `quantity` is still held, or was held when the hold was decided. */
interface ReservationState {
  readonly id: string;
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly status: ReservationStatus;
  readonly expiresAt: string | null;
  readonly orderId: string | null;
}

export type StockRefusal =
  | {
      readonly code: 'insufficient_stock';
      readonly command: number;
      readonly sku: string;
      readonly location: string;
      readonly available: number;
      readonly requested: number;
    }
  | {
      readonly code: 'reservation_decided';
      readonly command: number;
      readonly reservationId: string;
      readonly status: ReservationStatus;
    }
  | { readonly code: 'reservation_not_found'; readonly command: number; readonly reservationId: string }
  | { readonly code: 'unknown_sku'; readonly command: number; readonly sku: string }
  | { readonly code: 'unknown_location'; readonly command: number; readonly location: string };

/** `replayed`: the key was known, and nothing was done now. */
export type StockResult =
  | {
      readonly outcome: 'done';
      readonly replayed: boolean;
      readonly movements: readonly Movement[];
      readonly reservations: readonly ReservationState[];
    }
  | { readonly outcome: 'refused'; readonly replayed: boolean; readonly refusal: StockRefusal };

/** `expected` is the ledger's figure, `found` the figure that differs from it. */
export interface LedgerDifference {
  readonly sku: string;
  readonly location: string;
  /**
   * - `onHandAfter mov_…`, `reservedAfter mov_…`: a row that does not follow from the one before it
   * - `onHand`, `reserved`: a level that is not the sum of its rows
   * - `changedAt`: a level whose time is not that of its last row; in microseconds since 1970
   * - `openReservations`: open holds that do not add up to the reserved quantity
   * - `openReservationCount`: a level whose count of open holds is not their number, which is `expected`
   * - `hold rsv_…`: a hold whose quantity differs from the ledger's
   */
  readonly what: string;
  readonly expected: number;
  readonly found: number;
}
