/** The contract of `test-clock/<id>`: its id, input and update. Types and constants only. */
import type { Caller, RetrySettings, SagaAnswer } from '../shared/contract.js';

/** Runs once for each advance of the clock. */
export const testClockWorkflowId = (clockId: string) => `test-clock/${clockId}`;

export interface TestClockInput {
  readonly clockId: string;
  /** RFC 3339: where the clock is advanced to. */
  readonly to: string;
  readonly retry: RetrySettings;
  readonly caller: Caller;
}

/** Update sent with the start, with the `to` of the input: answers when all that is due up to there has been done. */
export const testClockUpdates = { advanced: 'advanced' } as const;
export interface AdvancedRequest {
  readonly to: string;
}
/** Refused: `validation_failed` where the clock stands there or later, `invalid_state` while it is advanced to another time. */
export type TestClockAnswer = SagaAnswer<'ready' | 'advancing'>;
