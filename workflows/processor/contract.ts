/** The contract of `processor-sync/<batch>` and of the schedule that looks for changes. Types and constants only. */
import type { RetrySettings } from '../shared/contract.js';

export interface ProcessorSyncInput {
  /** Rows of the outbox, topic `processor`. */
  readonly rowIds: readonly number[];
  readonly retry: RetrySettings;
}
export const processorSyncWorkflowId = (batchId: string) => `processor-sync/${batchId}`;

export const processorChangesScheduleId = 'processor-changes';
