/** Reads the errors of failed calls to Temporal. */
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
/** A connection that breaks in the middle of a call reports `internal` or `unknown`. */
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

/** Whether the error only means that the server could not be reached in time. */
export function isOutage(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const code = grpcCodeOf(error);
  return code !== null && outageCodes.has(code);
}

/** The gRPC code of the error, which the client may have wrapped; null if it is not a gRPC error. */
export function grpcCodeOf(error: unknown): number | null {
  return grpcErrorOf(error)?.code ?? null;
}

/** The server's message; empty if the error is not a gRPC error. */
export function grpcDetailsOf(error: unknown): string {
  return grpcErrorOf(error)?.details ?? '';
}

function grpcErrorOf(error: unknown) {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  return isGrpcServiceError(cause) ? cause : null;
}
