/** The contract of `replenishment/<sku>/<location>`: its id, input, update and signal. Types and constants only. */
import type { Refusal } from '../../domain/errors.js';
import type { RunningReplenishment } from '../../domain/replenishment.js';
import type { Caller, RetrySettings } from '../shared/contract.js';

export const replenishmentWorkflowId = (sku: string, location: string) => `replenishment/${sku}/${location}`;

export interface ReplenishmentInput {
  /** `rpl_…`, fixed by the caller. */
  readonly replenishmentId: string;
  readonly sku: string;
  readonly location: string;
  /** `level`: only if on hand plus on order is at or below the reorder point. `request`: regardless of the reorder point. */
  readonly cause: 'level' | 'request';
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  /** The delivery that this run continues to follow; absent where it starts with a plan. */
  readonly watch?: DeliveryWatch;
}

/** A purchase order that is followed until it is delivered. */
export interface DeliveryWatch {
  readonly replenishment: RunningReplenishment;
  /** The review of the overdue delivery; null while none is open. */
  readonly reviewId: string | null;
}

export type ReplenishmentAnswer =
  | { readonly kind: 'done'; readonly replenishmentId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** `planned` answers with the replenishment that runs, once it is planned, or with the reason why none does. */
export const replenishmentUpdates = { planned: 'planned' } as const;
export interface PlannedRequest {
  readonly replenishmentId: string;
}
/** `low`: the workflow reads the level once more before it ends. Sent with a start, in case the workflow is just ending. */
export const replenishmentSignals = { low: 'low' } as const;
