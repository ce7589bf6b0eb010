/** Reviews: failures that a person must look at. */

/** The kind of failure. */
export type ReviewKind =
  | 'compensation_failed'
  | 'step_failed'
  | 'sweep_failed'
  | 'mail_undeliverable'
  | 'outbox_undeliverable'
  | 'delivery_overdue'
  | 'replenishment_failed'
  | 'refund_failed'
  | 'dispute'
  | 'adoption_failed'
  | 'reconciliation'
  | 'saga_lost';

export const reviewStatuses = ['open', 'resolved'] as const;
export type ReviewStatus = (typeof reviewStatuses)[number];

/** A person's decisions: retry at once, or consider it done by hand. */
export const reviewDecisions = ['retry', 'done'] as const;

/** How a review ended. `success`: a retry succeeded before a person decided. */
export interface ReviewResolution {
  readonly by: 'person' | 'success';
  readonly resolution: (typeof reviewDecisions)[number] | 'succeeded';
  readonly note: string | null;
  readonly actor: string;
  /** RFC 3339, UTC. */
  readonly at: string;
}
