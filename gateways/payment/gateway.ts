import type { BookedDispute, BookedRefund } from '../../domain/payments/adoption.js';
import type { AuthorizeAnswer, CaptureAnswer, CardRefusal } from '../../domain/payments/answers.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { BookedPayment, ListedPayment } from '../../domain/payments/reconciliation.js';
import type { RefundAnswer } from '../../domain/payments/refunds.js';
import type { CardSlot } from '../../domain/payments/states.js';
import type { StripeEvent } from '../../domain/payments/stripe-events.js';
import type { CardOperation } from '../../domain/purchase/steps.js';
import type { StoredCard } from '../../domain/subscriptions/states.js';
import type { CallOptions } from '../http/http.js';

/**
 * A card processor. The payment, the card and the kind of the call fix its idempotency key: the same call is the same
 * operation and gets the same answer. Every call may throw a GatewayFault, which leaves open whether it took effect.
 * Each call is made once, without retries. A definite client error, such as a used token, is a refusal.
 * gateways/payment/conformance.fixture.ts has what every provider promises.
 */
export interface PaymentGateway {
  readonly name: GatewayName;
  /**
   * Whether it makes an operation at the processor before money moves, and stores the processor's id of it then. Such a
   * gateway is given the stored id, and can `cancel`.
   */
  readonly storesIds: boolean;
  /** Reserves the money. `reference` appears in the processor's books. */
  authorize(operation: CardOperation, ids: ProviderIds, options?: CallOptions): Promise<AuthorizeAnswer>;
  /**
   * The outcome of `authorize`; null if there is none yet: the processor has not seen the call, or is still working on it.
   * Only a repetition of the call settles which, or `cancel`.
   * @param known the processor's id of the operation, if it was stored
   */
  findAuthorization(
    operation: CardOperation,
    known: string | null,
    options?: CallOptions,
  ): Promise<AuthorizeAnswer | null>;
  /** Captures the whole authorized amount. One that was captured is `captured` again. */
  capture(operation: CardOperation, authorizationId: string, options?: CallOptions): Promise<CaptureAnswer>;
  /** The outcome of `capture`; null if there is none yet. */
  findCapture(operation: CardOperation, authorizationId: string, options?: CallOptions): Promise<CaptureAnswer | null>;
  /** Voids an authorization that was not captured. A void one is `voided` again. */
  void(operation: OperationKey, authorizationId: string, options?: CallOptions): Promise<VoidAnswer>;
  /**
   * Ends a doubtful operation without taking money: once it is `voided`, an `authorize` or `capture` still under way fails.
   * Absent where the processor has no such call: the operation is then repeated to learn its outcome.
   */
  cancel?(operation: CardOperation, known: string | null, options?: CallOptions): Promise<VoidAnswer>;
  /** Returns captured money, in minor units, as the undo of the charge. It is no refund of our books. */
  undoCapture(
    operation: CardOperation,
    authorizationId: string,
    amount: number,
    options?: CallOptions,
  ): Promise<UndoCaptureAnswer>;
  /** Returns captured money. `pending`: the processor has taken the refund and decides it later. */
  refund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer>;
  /** How the refund stands now; null if there is none yet: only a repetition of the call settles which. */
  findRefund(call: RefundCall, options?: CallOptions): Promise<RefundAnswer | null>;
  /**
   * Keeps a card for later payments of its owner. No money moves. What it answers is charged as an operation's `token`, with
   * `stored`. The same call stores the card once.
   */
  storeCard(call: StoreCardCall, ids: CustomerIds, options?: CallOptions): Promise<StoreCardAnswer>;
  /** The processor's books for one authorization; null if it does not exist. Amounts in minor units. */
  read(authorizationId: string, options?: CallOptions): Promise<AuthorizationBooks | null>;
  /**
   * What changed at the processor since then, page by page. Some of it may have changed before.
   * @param request `since` is RFC 3339; `cursor` is null for the first page; `short`: few on a page, after one that was
   * longer than an answer may be
   */
  changes(
    request: { since: string; cursor: string | null; short?: boolean },
    options?: CallOptions,
  ): Promise<ChangesPage>;
  /**
   * What tells whether two tokens are one card; null where the processor does not tell. It says nothing about whether the
   * card can be charged.
   */
  fingerprint(token: string, options?: CallOptions): Promise<string | null>;
  /**
   * What was made at the processor in a window, page by page: payments, refunds and disputes. A page may have a refund or a
   * dispute of a payment that no page has, and what changed in the window although it was made before.
   * @param request `from` and `to` are RFC 3339, `to` is excluded; `cursor` and `short` as for `changes`
   */
  list(request: ListRequest, options?: CallOptions): Promise<ListedPage>;
  /** Aborts calls in flight and closes the connections. */
  close(): Promise<void>;
}

/** The processor's id of one operation, kept in Postgres. */
export interface ProviderIds {
  readonly known: string | null;
  /** Stores the id before money moves. Rejects if the card was given up: no money may move then. */
  remember(providerId: string): Promise<void>;
}

/** A card to keep. Its idempotency keys are made of `ownerId`, `cause` and `card`. */
export interface StoreCardCall {
  /** What it pays for: a subscription's id. The processor knows its owner by it. */
  readonly ownerId: string;
  /** Why it is stored; another cause stores another card. */
  readonly cause: string;
  readonly card: CardSlot;
  readonly token: string;
  /** The client's id of the customer. */
  readonly customerId: string;
}

/** The owner's id as a customer of the processor, kept in Postgres. A gateway whose processor has no customers ignores it. */
export interface CustomerIds {
  readonly known: string | null;
  /** Stores the id before a card is attached to it. Returns the one that is stored: the first stays. */
  remember(customer: string): Promise<string>;
}

export type StoreCardAnswer = { readonly kind: 'stored'; readonly card: StoredCard } | CardRefusal;

/** `captured`: too late; return the money instead. */
export type VoidAnswer = { readonly kind: 'voided' } | { readonly kind: 'captured' };
export type UndoCaptureAnswer = { readonly kind: 'returned' } | { readonly kind: 'over_refund' };

/** One attempt at a refund. Its idempotency key is made of `refundId` and `attempt`. */
export interface RefundCall {
  readonly refundId: string;
  readonly attempt: number;
  readonly paymentId: string;
  readonly authorizationId: string;
  /** Minor units, at least 1. */
  readonly amount: number;
  readonly currency: string;
}

/** What the idempotency keys of one card's operation are made of. */
export type OperationKey = Pick<CardOperation, 'paymentId' | 'card'>;

export interface AuthorizationBooks extends BookedPayment {
  readonly refunded: number;
  readonly voided: boolean;
  /** False while the processor refuses refunds of it. */
  readonly refundable: boolean;
}

export interface ListRequest {
  readonly from: string;
  readonly to: string;
  readonly cursor: string | null;
  readonly short?: boolean;
}

export interface ListedPage {
  readonly payments: readonly ListedPayment[];
  readonly refunds: readonly (BookedRefund & { readonly authorizationId: string })[];
  readonly disputes: readonly (BookedDispute & { readonly authorizationId: string })[];
  /** Null after the last page. */
  readonly cursor: string | null;
}

export interface ChangesPage {
  /** The books of authorizations that changed, where the processor lists them. */
  readonly books: readonly AuthorizationBooks[];
  /** Else its events: the authorization is read afresh. */
  readonly events: readonly StripeEvent[];
  /** Null after the last page. */
  readonly cursor: string | null;
  /** RFC 3339: where the next look starts. */
  readonly until: string;
}
