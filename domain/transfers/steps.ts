/** The steps of a transfer and their results. Each step is one transaction over the transfer and its stock (db/transfers/store.ts). */
import type { StepBase, StepResult } from '../steps.js';
import type { TransferMode, TransferStatus } from './states.js';

/**
 * - `open` creates the transfer and holds the goods at the source (`reserved`), or fails for lack of stock (`failed`). An
 *   invalid transfer (unknown SKU or location, same source and destination) is refused and leaves no row.
 * - `move` turns the hold into goods at the destination, at once: reserved → completed.
 * - `ship` turns the hold into goods in transit: reserved → in_transit.
 * - `receive` adds what arrived at the destination and books the rest as lost: in_transit → completed. A repetition with the
 *   same quantity gets the same answer.
 * - `close` gives the goods back, from the hold or from transit, and ends the transfer as `to`. Refused while the ledger
 *   lacks them; the same key may then be retried. `byHand`: a person has given them back, so nothing is moved.
 * - `review` records that giving back has not succeeded yet: → manual_review.
 */
export type TransferStep = StepBase & { readonly transferId: string } & (
    | {
        readonly step: 'open';
        /** RFC 3339: when the client asked. Absent on transfers started before requests carried it. */
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
  /** The quantity that arrived; null until it is known. */
  readonly received: number | null;
}

export interface TransferTransition {
  readonly from: TransferStatus | null;
  readonly to: TransferStatus;
}

export type TransferStepResult = StepResult<TransferState, TransferTransition>;

/**
 * The key of a step.
 * @param cause what caused the step: a command's id, or one of `soleCauses`. A repeated workflow task, perhaps with other
 * commands before it, gives the step the same key, so the step is done once.
 */
export const transferStepKey = (transferId: string, name: TransferStep['step'], cause: string): string =>
  `transfer/${transferId}/${name}/${cause}`;

/**
 * Causes of the steps that a transfer does once, in whichever run. The numbers are from a release that counted its steps; a
 * step done under one must not be repeated under another key.
 */
export const soleCauses = { open: '1', move: '2', ship: '2', review: 'once' } as const;
