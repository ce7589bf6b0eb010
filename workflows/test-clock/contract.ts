/** The contract of `test-clock/<id>`: its id, input and update. Types and constants only. */
import type { Caller, RetrySettings } from '../shared/contract.js';

/** A run for each advance: its id names where the clock goes. */
export const testClockWorkflowId = (clockId: string) => `test-clock/${clockId}`;

export interface TestClockInput {
  readonly clockId: string;
  /** RFC 3339: where the clock is advanced to. */
  readonly to: string;
  readonly retry: RetrySettings;
  readonly caller: Caller;
}

/** Update sent with the start: answers when all that is due up to `to` has been done. */
export const testClockUpdates = { advanced: 'advanced' } as const;
export type TestClockAnswer = { readonly kind: 'done'; readonly status: 'ready' };
