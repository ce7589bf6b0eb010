/** What middleware has found out about a request, for the handlers that follow. */
import type { Request } from 'express';

export interface AuthenticatedKey {
  readonly id: string;
  /** The environment in the key: `hf_<env>_…`. */
  readonly env: string;
  readonly scopes: readonly string[];
}

export type BodyReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'malformed' };

export interface RequestState {
  readonly requestId: string;
  /** W3C traceparent of this hop: the caller's trace id with a span of our own. */
  readonly traceparent: string;
  readonly traceId: string;
  /** Set by middleware/auth. */
  key: AuthenticatedKey | null;
  /** Set by middleware/body. */
  body: BodyReading;
  /** Set once a route has been found: `/api/orders/:id`. */
  route: string | null;
  /** More members for the request's log line: ids, never personal data. */
  readonly logged: Record<string, string | number | boolean>;
}

const states = new WeakMap<object, RequestState>();

export function setState(req: Request, state: RequestState): void {
  states.set(req, state);
}

/** The request's state; throws if the first middleware has not run. */
export function stateOf(req: object): RequestState {
  const state = states.get(req);
  if (!state) throw new Error('the request has no state: middleware/request-id must come first');
  return state;
}

export function stateOrNull(req: object): RequestState | null {
  return states.get(req) ?? null;
}
