/** What the outside needs to know of `replenishment/<sku>/<location>`: its id, input, update and signal. Types and constants only. */
import type { Refusal } from '../../domain/errors.js';
import type { RunningReplenishment } from '../../domain/replenishment.js';
import type { Caller, RetrySettings } from '../shared/contract.js';

export const replenishmentWorkflowId = (sku: string, location: string) => `replenishment/${sku}/${location}`;

export interface ReplenishmentInput {
  /** `rpl_…`, fixed by the caller. */
  readonly replenishmentId: string;
  readonly sku: string;
  readonly location: string;
  /** `level`: only if on hand plus on order is at or below the reorder point. `request`: whatever the reorder point. */
  readonly cause: 'level' | 'request';
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
  readonly retry: RetrySettings;
  readonly caller: Caller;
  /** Set if this run continues to follow a delivery that another run began to follow. */
  readonly watch?: DeliveryWatch;
}

/** A purchase order that is followed until it is delivered. */
export interface DeliveryWatch {
  readonly replenishment: RunningReplenishment;
  /** The case that was opened because it is overdue. */
  readonly reviewId: string | null;
}

export type ReplenishmentAnswer =
  | { readonly kind: 'done'; readonly replenishmentId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** `planned` answers when it is decided what will be ordered, or why nothing is; where one runs already, it is that one. */
export const replenishmentUpdates = { planned: 'planned' } as const;
export interface PlannedRequest {
  readonly replenishmentId: string;
}
/** `low`: look at the level once more before you end. With the start it is heard also by a workflow that is about to end. */
export const replenishmentSignals = { low: 'low' } as const;
