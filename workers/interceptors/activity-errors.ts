/**
 * Keeps customer data out of Temporal's history and out of reviews. An unexpected error may quote rows and parameters, so it
 * is replaced by a report. An ApplicationFailure, which an activity throws on purpose, stays as it is.
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

/** The error that leaves the worker in place of an activity's error. */
export function crossing(error: unknown): unknown {
  // The SDK itself interprets these two.
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
