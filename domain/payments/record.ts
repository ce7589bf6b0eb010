/** The record of a payment and its mails, for the workflows and the activity that does a whole purchase. */
import type { Refusal } from '../errors.js';
import type { MailRequest, PaymentRecord } from '../orders/steps.js';
import type { AskedBy } from '../steps.js';
import type { GatewayName } from './gateways.js';
import type { CardSlot, PaymentAttempt, PaymentStatus } from './states.js';

/** The facts of a payment that are fixed before its first attempt. Amount in minor units, above 0. */
export interface PaymentFacts {
  readonly paymentId: string;
  readonly orderId: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly customerId: string | null;
  readonly email: string | null;
  readonly reference: string | null;
  /** Its processor; absent in recorded histories: the sandbox. */
  readonly gateway?: GatewayName;
  /** RFC 3339: when the client asked for it; absent on an order's payment. */
  readonly requestedAt?: string;
  /** Who asked for it; absent on an order's payment. */
  readonly by?: AskedBy;
}

/** The attempts at a payment. `score` 0 to 1; `providerReference` is the processor's id of the authorization. */
export interface PaymentProgress {
  readonly attempts: readonly PaymentAttempt[];
  readonly score: number | null;
  readonly providerReference: string | null;
}

export function paymentRecord(
  facts: PaymentFacts,
  status: PaymentStatus,
  progress: PaymentProgress,
  cardUsed: CardSlot | null = null,
  failure: Refusal | null = null,
): PaymentRecord {
  return {
    id: facts.paymentId,
    status,
    amount: facts.amount,
    currency: facts.currency,
    orderId: facts.orderId,
    customerId: facts.customerId,
    email: facts.email,
    reference: facts.reference,
    ...(facts.gateway !== undefined && { gateway: facts.gateway }),
    ...(facts.requestedAt !== undefined && { requestedAt: facts.requestedAt }),
    cardUsed,
    fraudScore: progress.score,
    attempts: progress.attempts,
    providerReference: progress.providerReference,
    failure: failure && { code: failure.code, detail: failure.detail },
    ...(facts.by !== undefined && { by: facts.by }),
  };
}

/** The mails after a decided payment: a receipt if it was captured, a notice if a card had insufficient funds. */
export function mailsAfter(record: PaymentRecord): readonly MailRequest[] {
  if (record.email === null) return [];
  if (record.status === 'captured') return [{ template: 'receipt', paymentId: record.id }];
  const short =
    record.failure?.code === 'insufficient_funds' ||
    record.attempts.some((attempt) => attempt.code === 'insufficient_funds');
  return short ? [{ template: 'insufficient_funds', paymentId: record.id }] : [];
}
