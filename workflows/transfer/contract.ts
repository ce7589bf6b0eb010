/** The contract of `transfer/<id>`: its id, input, updates and signals. Types and constants only. */
import type { TransferMode, TransferStatus } from '../../domain/transfers/states.js';
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

export const transferWorkflowId = (transferId: string) => `transfer/${transferId}`;

export interface TransferInput {
  readonly transferId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly from: string;
  readonly to: string;
  readonly mode: TransferMode;
  readonly reservationId: string;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  /** RFC 3339; when the API accepted the transfer. */
  readonly requestedAt: string;
  /** The id of the lost run whose transfer this run resumes. */
  readonly resumed?: string;
}

export type TransferAnswer = SagaAnswer<TransferStatus>;

/** `moved` is sent with the start and answers when the goods have arrived or are in transit. */
export const transferUpdates = { moved: 'moved', receive: 'receive', cancel: 'cancel' } as const;
export interface ReceiveRequest {
  /** Null: all that was sent. Less is booked as lost. */
  readonly quantity: number | null;
  readonly reason: string | null;
  readonly caller: Caller;
}

/** Signals of `transfer/<id>`, for people and other systems: `receive` with `{ quantity?, reason? }` or nothing, `cancel` with `{ reason? }`. */
export const transferSignals = { receive: 'receive', cancel: 'cancel' } as const;
