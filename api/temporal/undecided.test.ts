import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { readUpdateFailure } from './undecided.js';

/** A server error as gRPC reports it, and as the client wraps it. */
const grpc = (code: number, details: string) => Object.assign(new Error(details), { code, details, metadata: {} });
const wrapped = (code: number, details: string) =>
  new ServiceError('Workflow Update failed', { cause: grpc(code, details) });
const failed = (type: string, message = '', details: unknown[] = []) =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.create({ type, message, details }));

// The texts of Temporal Server 1.32.
const unprocessed = "Workflow Update is rejected because it wasn't processed by worker. Probably, …";
const atTheEnd = 'Workflow Update failed because the Workflow completed before the Update completed.';
const tooMany =
  'The limit on the total number of distinct updates in this workflow has been reached (2000). Make sure …';

describe('an update that failed', () => {
  test.each([
    ['a worker did not process it', failed('UnprocessedUpdate', unprocessed)],
    [
      'the workflow task failed',
      wrapped(9, 'Unable to perform workflow execution update due to Workflow Task in failed state.'),
    ],
    ['10 others are in flight', wrapped(8, 'limit on number of concurrent in-flight updates has been reached (10)')],
    ['the server dropped its state', wrapped(14, 'workflow update was aborted')],
    ['the server was busy', grpc(10, 'Operation aborted')],
    ['the connection broke', grpc(13, 'Received RST_STREAM with code 2')],
    ['the call timed out', new WorkflowUpdateRPCTimeoutOrCancelledError('deadline exceeded')],
  ])('because %s is undecided: it is sent again', (_why, error) => {
    expect(readUpdateFailure(error)).toEqual({ kind: 'undecided' });
  });

  test.each([
    ['the server does not know it', new WorkflowNotFoundError('update "upd_1" not found', 'order/1', undefined)],
    ['the workflow has ended', new WorkflowNotFoundError('workflow execution already completed', 'order/1', undefined)],
    ['the workflow ended before answering it', failed('AcceptedUpdateCompletedWorkflow', atTheEnd)],
  ])('because %s is gone: whether the workflow runs decides', (_why, error) => {
    expect(readUpdateFailure(error)).toEqual({ kind: 'gone' });
  });

  test('because the run has taken its limit of updates is not sent again', () => {
    expect(readUpdateFailure(wrapped(9, tooMany))).toEqual({ kind: 'full' });
  });

  test('to start a workflow that may run only once means that it has run', () => {
    const error = new WorkflowExecutionAlreadyStartedError('already started', 'order/1', 'order');
    expect(readUpdateFailure(error)).toEqual({ kind: 'duplicate' });
  });

  test('because the workflow refused it carries the code, detail and members', () => {
    const members = { from: 'confirmed', to: 'cancelled' };
    const error = failed('invalid_order_state', 'cannot', [{ code: 'x', detail: 'y', extensions: members }]);
    const refusal = { code: 'invalid_order_state', detail: 'cannot', extensions: members };
    expect(readUpdateFailure(error)).toEqual({ kind: 'refused', refusal });
  });

  test.each([
    ['an unexpected type', failed('TypeError', 'x is undefined')],
    ['a cancellation', new WorkflowUpdateFailedError('Workflow Update failed', new CancelledFailure('cancelled'))],
    ['an error from elsewhere', new Error('boom')],
    ['an invalid argument', grpc(3, 'invalid')],
  ])('with %s stays visible as a bug', (_what, error) => {
    expect(readUpdateFailure(error)).toEqual({ kind: 'bug' });
  });
});
