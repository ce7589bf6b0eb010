/**
 * The language of the stock ledger: what may be asked of it and what it answers. The rules themselves are decided inside
 * Postgres (db/functions/03_stock.sql), in one transaction and under lock.
 */

/** Matches a SKU or a location code. */
export const codePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Where goods are by default. It exists from the start. */
export const mainLocation = 'main';
/** Where goods on the way are on hand. Virtual: counts in no availability and is never listed. */
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
 * One thing asked of the ledger.
 * - `receive`, `return`, `transfer_in` add to on hand; `consume`, `transfer_out`, `lose` take from what is on hand and not
 *   reserved; `adjust` does either by the sign of `delta`.
 * - `reserve` makes a hold that runs out after `holdSeconds` (null: never by itself).
 * - `confirm` takes the held goods out of stock; `cancel` gives the hold (or `quantity` of it) back; `expire` gives it back
 *   only where it is past its time.
 * - `hold` sets a pending hold's remaining life anew, counted from now (null: it no longer runs out). It writes no ledger
 *   row, since it moves nothing.
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
 * Commands that are done together or not at all, under one key. The same key again gives the first answer, a refusal too,
 * and does nothing.
 */
export interface StockOperation {
  readonly key: string;
  readonly commands: readonly StockCommand[];
  /** Who asked: `api_key:<id>`, `workflow:<id>`, `sweep`. */
  readonly actor: string;
  /** The order, purchase order or transfer that this belongs to. */
  readonly reference?: string | null;
  readonly reason?: string | null;
  /** The warehouse is told if the operation moves more units than this, its commands taken together. */
  readonly announceAbove?: number;
}

/** A row of the ledger, as a command wrote it. */
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

/** A hold as it stands after the operation. `quantity` is what is still held, or was when it was decided. */
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

/** `replayed` is true where the key was known and nothing was done now. */
export type StockResult =
  | {
      readonly outcome: 'done';
      readonly replayed: boolean;
      readonly movements: readonly Movement[];
      readonly reservations: readonly ReservationState[];
    }
  | { readonly outcome: 'refused'; readonly replayed: boolean; readonly refusal: StockRefusal };

/** `expected` is what the ledger says, `found` what stands elsewhere. */
export interface LedgerDifference {
  readonly sku: string;
  readonly location: string;
  /**
   * - `onHandAfter mov_…`, `reservedAfter mov_…`: a row that does not follow from the one before it
   * - `onHand`, `reserved`: a level that is not the sum of its rows
   * - `changedAt`: a level that does not know its last row; in microseconds since 1970
   * - `openReservations`: open holds that do not add up to what is reserved
   * - `hold rsv_…`: a hold of which the ledger says that another quantity is held
   */
  readonly what: string;
  readonly expected: number;
  readonly found: number;
}
