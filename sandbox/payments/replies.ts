/** What the card processor answers. */
import type { DisputeView } from './disputes.js';
import type { MoneyRequest, Outcome } from './facts.js';

/** The reply to a money call. `timeout`: none, however long the caller waits. `lost`: a broken connection. */
export type Reply =
  | { readonly kind: 'answer'; readonly outcome: Outcome }
  | { readonly kind: 'timeout' | 'lost' | 'down' | 'unavailable' }
  | { readonly kind: 'key_reused' | 'unknown_authorization' };

/** How an authorization is made if another wire than the processor's own asks for it. */
export interface Making {
  /** Its id, unless it is declined. */
  readonly authorizationId?: string;
  /** Throws if it may not be made any more. Called in the instant of the decision. */
  readonly check?: () => void;
}

export type Found =
  | { readonly kind: 'decided'; readonly request: MoneyRequest; readonly outcome: Outcome }
  /** A call is in progress: neither yes nor no. */
  | { readonly kind: 'in_progress' }
  | { readonly kind: 'unknown' };

/** The reply to something that was done by hand. */
export type HandReply<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown' };

export type DisputeReply = HandReply<DisputeView & { readonly authorizationId: string }>;
