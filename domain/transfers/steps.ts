/**
 * The language of the transfer store: the steps of a transfer and their answers. Each step is one transaction over the
 * transfer and its stock (db/transfers/store.ts).
 */
import type { StepResult } from '../steps.js';
import type { TransferMode, TransferStatus } from './states.js';

interface StepBase {
  /** The same key again gives the first answer and does nothing. */
  readonly key: string;
  readonly transferId: string;
  readonly actor: string;
  readonly traceId: string;
}

/**
 * - `open` makes the transfer and holds the goods at the source (`reserved`), or says what lacks (`failed`). What cannot be
 *   a transfer at all (unknown SKU or location, source and destination the same) is refused and leaves no row.
 * - `move` turns the hold into goods at the destination, at once: reserved → completed.
 * - `ship` turns the hold into goods on their way: reserved → in_transit.
 * - `receive` puts what arrived down at the destination and books the rest as lost: in_transit → completed. Asked for again
 *   with the same figure it answers the same.
 * - `close` gives the goods back, from the hold or from their way, and ends the transfer as `to`. Where the ledger has not
 *   got them it is refused, and may be asked again. `byHand`: a person has given them back, nothing is moved.
 * - `review` says that giving back did not succeed yet: → manual_review.
 */
export type TransferStep = StepBase &
  (
    | {
        readonly step: 'open';
        /** RFC 3339: when the client asked. Absent on transfers that were started before it was said. */
        readonly requestedAt?: string;
        readonly workflowId: string;
        readonly sku: string;
        readonly quantity: number;
        readonly from: string;
        readonly to: string;
        readonly mode: TransferMode;
        readonly reservationId: string;
      }
    | { readonly step: 'move' }
    | { readonly step: 'ship' }
    | { readonly step: 'review' }
    | {
        readonly step: 'receive';
        /** Null: all that was sent. */
        readonly quantity: number | null;
        /** Why less arrived than was sent. */
        readonly reason: string | null;
      }
    | {
        readonly step: 'close';
        readonly to: 'cancelled' | 'failed';
        readonly reason: string | null;
        readonly failure: { readonly code: string; readonly detail: string } | null;
        readonly byHand: boolean;
      }
  );

/** The transfer after the step. */
export interface TransferState {
  readonly status: TransferStatus;
  /** What arrived; null until that is known. */
  readonly received: number | null;
}

export interface TransferTransition {
  readonly from: TransferStatus | null;
  readonly to: TransferStatus;
}

export type TransferStepResult = StepResult<TransferState, TransferTransition>;
