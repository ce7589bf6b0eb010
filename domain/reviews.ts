/** Cases that a person must look at. */

/** What a case is about. */
export type ReviewKind =
  | 'compensation_failed'
  | 'step_failed'
  | 'sweep_failed'
  | 'mail_undeliverable'
  | 'outbox_undeliverable'
  | 'delivery_overdue'
  | 'replenishment_failed'
  | 'saga_lost';

export const reviewStatuses = ['open', 'resolved'] as const;
export type ReviewStatus = (typeof reviewStatuses)[number];

/** What a person may decide: try again at once, or take it as done by hand. */
export const reviewDecisions = ['retry', 'done'] as const;

/** How a case ended. `success`: a retry succeeded, and nobody decided anything. */
export interface ReviewResolution {
  readonly by: 'person' | 'success';
  readonly resolution: (typeof reviewDecisions)[number] | 'succeeded';
  readonly note: string | null;
  readonly actor: string;
  /** RFC 3339, UTC. */
  readonly at: string;
}
