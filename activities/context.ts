/** The context of the running activity. */
import { Context } from '@temporalio/activity';
import { inTaskSeconds } from '../domain/retry.js';
import type { CallOptions } from '../gateways/http/http.js';

/** Whether the activity runs inside a workflow task, as a local activity. It is then the first, short attempt of a call. */
export function isInWorkflowTask(): boolean {
  return Context.current().info.isLocal;
}

/** The number of this attempt, from 1. A local activity that runs again after a crash is at its first one. */
export function attemptNumber(): number {
  return isInWorkflowTask() ? 1 : Context.current().info.attempt;
}

/** Whether the activity has timed out or was cancelled. */
export function isGivenUp(): boolean {
  return Context.current().cancellationSignal.aborted;
}

/**
 * Time-out and trace of one call to a gateway.
 * @param timeoutSeconds GATEWAY_TIMEOUT_SECONDS
 */
export function callOptions(timeoutSeconds: number, traceparent: string): CallOptions {
  const seconds = isInWorkflowTask() ? Math.min(timeoutSeconds, inTaskSeconds) : timeoutSeconds;
  return { timeoutMs: Math.round(seconds * 1000), traceparent };
}

/** Runs a call and measures how long it held up a workflow task, in milliseconds: 0 outside of one. */
export async function timed<T>(call: () => Promise<T>): Promise<T & { readonly heldTaskMs: number }> {
  const began = performance.now();
  const answer = await call();
  return { ...answer, heldTaskMs: isInWorkflowTask() ? Math.round(performance.now() - began) : 0 };
}

/** Runs a step of an activity. `name` identifies the step, `about` its subject. */
export type Around = <T>(name: string, about: unknown, act: () => Promise<T>) => Promise<T>;
