/** The contract of `verification/<id>`: its id, input and update. Types and constants only. */
import type { Caller } from '../shared/contract.js';

export const verificationWorkflowId = (verificationId: string) => `verification/${verificationId}`;

export interface VerificationInput {
  readonly verificationId: string;
  readonly caller: Caller;
  /** RFC 3339 */
  readonly requestedAt: string;
}

/** Update of `verification/<id>`, sent with the start: answers when the comparison is complete or was cancelled. */
export const verificationUpdates = { ended: 'ended' } as const;
export type VerificationAnswer = 'completed' | 'cancelled';
