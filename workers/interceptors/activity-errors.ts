/**
 * What an activity throws goes into Temporal's history and from there to everybody who may read it, in reviews too. An error
 * that nobody expected quotes rows and parameters: it crosses as a report instead. What an activity says on purpose
 * (ApplicationFailure) crosses as it is.
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { errorLine, reportError } from '../../domain/error-report.js';

export const reportedErrors: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw crossing(error);
      }
    },
  },
});

/** What an error of an activity becomes before it leaves the worker. */
export function crossing(error: unknown): unknown {
  // An aborted call and a completion that comes later are words of the SDK.
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'CompleteAsyncError')) return error;
  if (error instanceof TemporalFailure && (error.cause === undefined || error.cause instanceof TemporalFailure))
    return error;
  const report = reportError(error);
  const message = errorLine(error);
  const known = error instanceof ApplicationFailure ? error : null;
  const failure = ApplicationFailure.create({
    message: known?.message ?? message,
    type: known?.type ?? report.type,
    nonRetryable: known?.nonRetryable ?? false,
    details: known?.details ?? [report],
    ...(known?.nextRetryDelay !== undefined &&
      known.nextRetryDelay !== null && { nextRetryDelay: known.nextRetryDelay }),
  });
  failure.stack = [`${failure.name}: ${failure.message}`, ...(report.stack ?? [])].join('\n    ');
  return failure;
}
