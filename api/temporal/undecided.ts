/**
 * What Temporal means when an update fails. Most failures say nothing about the request: the server has lost the update
 * with a workflow task, has too much to do, or restarts. Asked again under the same update id it is the same update, so
 * only a refusal by the workflow itself is an answer. Texts and codes: Temporal Server 1.32, service/history/workflow/update.
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
 * - `undecided`: no worker has decided it. Ask again.
 * - `gone`: the server does not know the update or the workflow: either the workflow has ended, or the update was lost
 *   while the workflow runs on.
 * - `full`: this run has taken all the updates that the server allows it.
 * - `duplicate`: a workflow that may run only once has run.
 * - `bug`: a handler threw something that is no refusal.
 */
export type UpdateFailure =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'undecided' | 'gone' | 'full' | 'duplicate' | 'bug' };

/** Failures that the server gives an update in the name of the workflow. */
const unprocessed = 'UnprocessedUpdate';
const acceptedAtTheEnd = 'AcceptedUpdateCompletedWorkflow';

/** Reads what an ask for an update threw. */
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
