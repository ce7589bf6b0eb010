/** The contract of `notices/<batch>`: its id and input. Types and constants only. */
import type { RetrySettings } from '../shared/contract.js';

export interface NoticesInput {
  /** Rows of the outbox. */
  readonly rowIds: readonly number[];
  /** Wait before the second attempt; the third waits twice as long. Scaled by `retry`. */
  readonly waitSeconds: number;
  readonly retry: RetrySettings;
}
export const noticesWorkflowId = (batchId: string) => `notices/${batchId}`;
