/** What the suite needs of a provider, and what its parts share. */
import { randomUUID } from 'node:crypto';
import type { AuthorizeAnswer } from '../../../domain/payments/answers.js';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import type {
  AuthorizationBooks,
  CustomerIds,
  PaymentGateway,
  ProviderIds,
  RefundCall,
  StoreCardCall,
} from '../gateway.js';
import type { Tap } from '../tap.fixture.js';

/** The processor, or what stands in for it. */
export interface Processor {
  readonly url: string;
  readonly byHand: ByHand;
  stop(): Promise<void>;
}

/** What somebody does in the processor's own pages. */
interface ByHand {
  /** Captures the whole amount. */
  capture(authorizationId: string, amount: number): Promise<void>;
  refund(authorizationId: string, amount: number): Promise<void>;
  /** Opens a dispute that stops refunds, or an inquiry that does not. Returns its id. */
  dispute(authorizationId: string, amount: number, inquiry?: boolean): Promise<string>;
  close(disputeId: string, outcome: 'won' | 'lost'): Promise<void>;
}

export interface Provider {
  start(): Promise<Processor>;
  /** Its client. Calls reach the processor through `url`. */
  connect(url: string): PaymentGateway | Promise<PaymentGateway>;
  /** Whether it has `cancel`. */
  readonly cancels: boolean;
  readonly tokens: {
    readonly good: string;
    readonly declined: { readonly token: string; readonly declineCode: string };
    readonly insufficientFunds: string;
    /** Its bank wants to see the cardholder at every payment, where there is such a card. */
    readonly needsHolder?: string;
    readonly declinedAtCapture: string;
    /** Each call takes a second. */
    readonly slow: string;
    /** A refund is pending for a second or two, then it succeeds. */
    readonly refundPending: string;
    readonly refundFails: string;
    /** A refund succeeds, and fails a second or two later. */
    readonly refundFailsLate: string;
  };
  /** Requests that one call takes; default 1. */
  readonly requests?: { readonly authorize: number; readonly storeCard: number };
  /** Operations that the processor rejects for good, and its code. */
  readonly rejected: readonly (readonly [what: string, of: Partial<CardOperation>, code: string])[];
  /** An answer that rejects the request for good, as the processor gives it, and its code. */
  readonly finalError: { readonly status: number; readonly body: string; readonly code: string };
}

/** The processor, its client, and the tap between them, as they run. */
export interface Suite {
  readonly provider: Provider;
  readonly gateway: PaymentGateway;
  readonly tap: Tap;
  readonly byHand: ByHand;
}

export const noAnswer = { name: 'GatewayFault', fault: 'no_answer' };

/** The ids of one operation, kept in memory. */
export function memoryIds(): ProviderIds & { givenUp: boolean } {
  let known: string | null = null;
  return {
    givenUp: false,
    get known() {
      return known;
    },
    async remember(id) {
      if (this.givenUp) throw new Error('the card was given up');
      known ??= id;
    },
  };
}

/** The customers of one owner, kept in memory. */
export function memoryCustomer(): CustomerIds & { remembered: string[] } {
  const remembered: string[] = [];
  return {
    remembered,
    get known() {
      return remembered[0] ?? null;
    },
    async remember(customer) {
      remembered.push(customer);
      return remembered[0] ?? customer;
    },
  };
}

/** A card that nobody has stored yet. */
export function cardToStore(token: string): StoreCardCall {
  const ownerId = `sub_${randomUUID().replaceAll('-', '')}`;
  return { ownerId, cause: 'opened', card: 'primary', token, customerId: 'cus_1001' };
}

export function operationOn(token: string, more: Partial<CardOperation> = {}): CardOperation {
  const paymentId = `pay_${randomUUID().replaceAll('-', '')}`;
  const money = { token, amount: 4200, currency: 'GBP' };
  return { paymentId, card: 'primary', ...money, reference: paymentId, customerId: null, traceparent: '', ...more };
}

export function idOf(answer: AuthorizeAnswer | null): string {
  if (answer?.kind !== 'authorized') throw new Error(`not authorized: ${answer?.kind}`);
  return answer.authorizationId;
}

export async function authorized({ gateway }: Suite, card: CardOperation, ids = memoryIds()): Promise<string> {
  return idOf(await gateway.authorize(card, ids));
}

/** A payment of 4200 that was captured. */
export async function captured(suite: Suite, token = suite.provider.tokens.good) {
  const card = operationOn(token);
  const id = await authorized(suite, card);
  const answer = await suite.gateway.capture(card, id);
  if (answer.kind !== 'captured') throw new Error(`not captured: ${answer.kind}`);
  return { card, id };
}

/** A refund that nobody has asked for yet. */
export function refundOf(card: CardOperation, authorizationId: string, amount: number): RefundCall {
  const refundId = `rfd_${randomUUID().replaceAll('-', '')}`;
  const { paymentId, currency } = card;
  return { refundId, attempt: 0, paymentId, authorizationId, amount, currency };
}

/** The authorization in the books; fails if it has none. */
export async function booksOf({ gateway }: Suite, authorizationId: string): Promise<AuthorizationBooks> {
  const books = await gateway.read(authorizationId);
  if (books === null) throw new Error(`no books of ${authorizationId}`);
  return books;
}

export async function requestsOf({ tap }: Suite, call: () => Promise<unknown>): Promise<number> {
  const before = tap.requests();
  await call().catch(() => undefined);
  return tap.requests() - before;
}
