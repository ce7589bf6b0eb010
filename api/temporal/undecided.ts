/**
 * What a failed update means. Most failures say nothing about the request: the server lost the update with a workflow
 * task, is overloaded, or is restarting. Under the same id it stays the same update, so it can be sent again, and only a
 * refusal by the workflow itself is an answer. Texts and codes: Temporal Server 1.32, service/history/workflow/update.
 */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isRefusalCode, type Refusal, refusal } from '../../domain/errors.js';
import { grpcCodeOf, grpcDetailsOf, grpcFailedPrecondition, isOutage } from './grpc-errors.js';

/**
 * - `refused`: the workflow said no.
 * - `undecided`: no worker has decided it. Send it again.
 * - `gone`: the server does not know the update or the workflow. Either the workflow has ended, or the server lost the
 *   update and the workflow is still running.
 * - `full`: this run has taken as many updates as the server allows.
 * - `duplicate`: the workflow may run only once, and has run.
 * - `bug`: a handler threw something other than a refusal.
 */
export type UpdateFailure =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'undecided' | 'gone' | 'full' | 'duplicate' | 'bug' };

/** Failures that the server itself reports as the outcome of an update. */
const unprocessed = 'UnprocessedUpdate';
const acceptedAtTheEnd = 'AcceptedUpdateCompletedWorkflow';

/** Reads the error of a failed update. */
export function readUpdateFailure(error: unknown): UpdateFailure {
  if (error instanceof WorkflowUpdateFailedError) return readOutcome(error.cause);
  if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'duplicate' };
  if (error instanceof WorkflowNotFoundError) return { kind: 'gone' };
  if (grpcCodeOf(error) === grpcFailedPrecondition)
    return { kind: /total number of distinct updates/i.test(grpcDetailsOf(error)) ? 'full' : 'undecided' };
  return { kind: isOutage(error) ? 'undecided' : 'bug' };
}

/** A refusal crosses Temporal as a failure whose type is its code. */
function readOutcome(cause: Error | undefined): UpdateFailure {
  if (!(cause instanceof ApplicationFailure)) return { kind: 'bug' };
  if (cause.type === unprocessed) return { kind: 'undecided' };
  if (cause.type === acceptedAtTheEnd) return { kind: 'gone' };
  if (!isRefusalCode(cause.type)) return { kind: 'bug' };
  const refused: unknown = cause.details?.[0];
  const extensions = typeof refused === 'object' && refused !== null ? Reflect.get(refused, 'extensions') : undefined;
  const members = typeof extensions === 'object' && extensions !== null ? { ...extensions } : undefined;
  return { kind: 'refused', refusal: refusal(cause.type, cause.message, members) };
}
