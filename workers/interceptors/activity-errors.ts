/**
 * Keeps customer data out of Temporal's history and out of reviews. An unexpected error may quote rows and parameters,
 * so it is replaced by a report. An ApplicationFailure, which an activity throws on purpose, stays as it is.
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { storable } from '../../activities/failures.js';
import { errorLine, reportError } from '../../domain/error-report.js';

/** Around every activity, on every queue: its result and its error can be stored by Temporal. */
export const storableOutcomes: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      try {
        return await storable(() => next(input), info.attempt);
      } catch (error) {
        throw withoutCustomerData(error);
      }
    },
  },
});

/** The error that leaves the worker in place of an activity's error. */
export function withoutCustomerData(error: unknown): unknown {
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
