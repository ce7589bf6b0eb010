/** What a failed call to Temporal says. */
import { isGrpcServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';

const grpcCancelled = 1;
const grpcUnknown = 2;
export const grpcInvalidArgument = 3;
const grpcDeadlineExceeded = 4;
export const grpcNotFound = 5;
const grpcResourceExhausted = 8;
export const grpcFailedPrecondition = 9;
const grpcAborted = 10;
const grpcInternal = 13;
const grpcUnavailable = 14;
const grpcDataLoss = 15;
/** `internal` and `unknown` are what a connection says that broke in the middle of a call. */
const outageCodes = new Set([
  grpcCancelled,
  grpcUnknown,
  grpcDeadlineExceeded,
  grpcResourceExhausted,
  grpcAborted,
  grpcInternal,
  grpcUnavailable,
  grpcDataLoss,
]);

/** Whether the error only says that the server could not be asked in time. */
export function isOutage(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const code = grpcCodeOf(error);
  return code !== null && outageCodes.has(code);
}

/** The code of the server's refusal, as it is or as the client has wrapped it; null where the error is something else. */
export function grpcCodeOf(error: unknown): number | null {
  return grpcErrorOf(error)?.code ?? null;
}

/** The server's own words; empty where the error is something else. */
export function grpcDetailsOf(error: unknown): string {
  return grpcErrorOf(error)?.details ?? '';
}

function grpcErrorOf(error: unknown) {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  return isGrpcServiceError(cause) ? cause : null;
}
