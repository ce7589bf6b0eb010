/** The contract of `reconciliation/<id>` and of its nightly schedule: ids, input and update. Types and constants only. */
export const reconciliationWorkflowId = (reconciliationId: string) => `reconciliation/${reconciliationId}`;

export interface ReconciliationInput {
  readonly reconciliationId: string;
  /** The window, RFC 3339; `to` is excluded. */
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  /** Of the request that asked for it. Absent: none did, or it began before inputs had it. */
  readonly requestId?: string | null;
  /** RFC 3339 */
  readonly requestedAt: string;
}

/** Update of `reconciliation/<id>`, sent with the start: answers when the comparison is complete or has failed. */
export const reconciliationUpdates = { ended: 'ended' } as const;
export type ReconciliationAnswer = 'completed' | 'failed';

export const reconciliationScheduleId = 'nightly-reconciliation';
