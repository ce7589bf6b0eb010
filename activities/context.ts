/** What the activity that is running knows of itself. */
import { Context } from '@temporalio/activity';
import { inTaskSeconds } from '../domain/retry.js';
import type { CallOptions } from '../gateways/http/http.js';

/** Whether this is the first try of a call, made in a local activity: then it is kept short, and nothing was sent before. */
export function isInWorkflowTask(): boolean {
  return Context.current().info.isLocal;
}

/** Attempts of the activity task so far, this one included. A local activity that a crash repeats is at its first again. */
export function attemptNumber(): number {
  return isInWorkflowTask() ? 1 : Context.current().info.attempt;
}

/** Whether nobody waits for the activity that is running any more: it took too long, or was called off. */
export function isGivenUp(): boolean {
  return Context.current().cancellationSignal.aborted;
}

/**
 * Time and trace for one call to a gateway.
 * @param timeoutSeconds GATEWAY_TIMEOUT_SECONDS
 */
export function callOptions(timeoutSeconds: number, traceparent: string): CallOptions {
  const seconds = isInWorkflowTask() ? Math.min(timeoutSeconds, inTaskSeconds) : timeoutSeconds;
  return { timeoutMs: Math.round(seconds * 1000), traceparent };
}

/** Runs a call and tells for how long it held up a workflow task, in milliseconds: 0 outside of one. */
export async function timed<T>(call: () => Promise<T>): Promise<T & { readonly heldTaskMs: number }> {
  const began = performance.now();
  const answer = await call();
  return { ...answer, heldTaskMs: isInWorkflowTask() ? Math.round(performance.now() - began) : 0 };
}

/** Runs a step of an activity; `name` and `about` tell which one and of what. */
export type Around = <T>(name: string, about: unknown, act: () => Promise<T>) => Promise<T>;
