/** What a failed call to Temporal says. */
import { isGrpcServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';

const grpcCancelled = 1;
export const grpcInvalidArgument = 3;
const grpcDeadlineExceeded = 4;
export const grpcNotFound = 5;
export const grpcFailedPrecondition = 9;
const grpcUnavailable = 14;
const grpcResourceExhausted = 8;
const outageCodes = new Set([grpcCancelled, grpcDeadlineExceeded, grpcResourceExhausted, grpcUnavailable]);

/** Whether the error only says that the server could not be asked in time. */
export function isOutage(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const code = grpcCodeOf(error);
  return code !== null && outageCodes.has(code);
}

/** The code of the server's refusal, as it is or as the client has wrapped it; null where the error is something else. */
export function grpcCodeOf(error: unknown): number | null {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  return isGrpcServiceError(cause) ? cause.code : null;
}
