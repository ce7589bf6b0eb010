/** Stripe's objects, as far as we read them, and what they mean in our words. Amounts in minor units. */
import { z } from 'zod';
import type { BookedDispute, BookedRefund } from '../../../domain/payments/adoption.js';
import type { AuthorizeAnswer, CaptureAnswer } from '../../../domain/payments/answers.js';
import type { DisputeStatus } from '../../../domain/payments/disputes.js';
import type { ListedPayment } from '../../../domain/payments/reconciliation.js';
import type { RefundAnswer } from '../../../domain/payments/refunds.js';
import { cardSlots } from '../../../domain/payments/states.js';
import { expectShape, providerId } from '../../http/answers.js';
import { GatewayFault } from '../../http/fault.js';
import { declined } from './refusals.js';
import { gateway } from './transport.js';

/** Fields that may be absent, null or empty. */
const optionalCode = providerId.nullish().catch(null);
const metadata = z.record(z.string(), z.string()).nullish();
/** Minor units, as far as a sum of them is exact. */
const money = z.int().min(0).max(1e12);

const intentShape = z.object({
  id: providerId,
  object: z.literal('payment_intent'),
  status: z.enum([
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'requires_capture',
    'canceled',
    'succeeded',
  ]),
  amount: money,
  amount_received: money,
  created: z.int(),
  currency: providerId,
  cancellation_reason: optionalCode,
  metadata,
  last_payment_error: z.object({ code: optionalCode, decline_code: optionalCode, advice_code: optionalCode }).nullish(),
});
export type Intent = z.infer<typeof intentShape>;

const methodShape = z.object({ id: providerId, object: z.literal('payment_method') });
const customerShape = z.object({ id: providerId, object: z.literal('customer') });

/** A payment method or a token. */
const cardShape = z.object({ card: z.object({ fingerprint: optionalCode }).nullish().catch(null) });

const refundShape = z.object({
  id: providerId,
  object: z.literal('refund'),
  amount: money,
  created: z.int(),
  payment_intent: providerId.nullish(),
  status: providerId.nullish(),
  reason: optionalCode,
  failure_reason: optionalCode,
  metadata,
});
export type StripeRefund = z.infer<typeof refundShape>;

const disputeShape = z.object({
  id: providerId,
  object: z.literal('dispute'),
  amount: money,
  currency: providerId,
  created: z.int(),
  payment_intent: providerId.nullish(),
  reason: providerId,
  status: providerId,
  is_charge_refundable: z.boolean(),
});

const listOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item), has_more: z.boolean() });
const refundList = listOf(refundShape);
const disputeList = listOf(disputeShape);
const intentList = listOf(intentShape);

export const readIntent = (value: unknown): Intent => expectShape(gateway, intentShape, value);
export const readMethod = (value: unknown) => expectShape(gateway, methodShape, value);
export const readCustomer = (value: unknown) => expectShape(gateway, customerShape, value);
export const readFingerprint = (value: unknown): string | null =>
  expectShape(gateway, cardShape, value).card?.fingerprint ?? null;
export const readRefund = (value: unknown): StripeRefund => expectShape(gateway, refundShape, value);
export const readRefunds = (value: unknown) => expectShape(gateway, refundList, value);
export const readIntents = (value: unknown) => expectShape(gateway, intentList, value);
export const readDisputes = (value: unknown) => expectShape(gateway, disputeList, value);

/** Stripe is still deciding. */
export const undecided = (intent: Intent): GatewayFault =>
  new GatewayFault(gateway, 'server_error', `${intent.id} is ${intent.status}: not decided yet`);

/** Whether the money is reserved; null if the payment was not confirmed yet. */
export function authorizationOf(intent: Intent): AuthorizeAnswer | null {
  const error = intent.last_payment_error;
  switch (intent.status) {
    case 'requires_capture':
    case 'succeeded':
      return { kind: 'authorized', authorizationId: intent.id };
    case 'canceled':
      return declined({ code: canceledCode(intent), declineCode: null });
    case 'requires_action':
      return declined({ code: 'authentication_required', declineCode: null });
    case 'requires_payment_method':
      return error ? declined(refusalIn(error)) : null;
    case 'requires_confirmation':
      return null;
    case 'processing':
      throw undecided(intent);
  }
}

const refusalIn = ({ code, decline_code, advice_code }: NonNullable<Intent['last_payment_error']>) => ({
  code: code ?? 'card_declined',
  declineCode: decline_code ?? null,
  advice: advice_code ?? null,
});

/**
 * Whether the whole money is captured; null if it can still be. A part that somebody has captured in Stripe's pages is a
 * refusal, so that it is returned: the rest can no longer be captured.
 */
export function captureOf(intent: Intent): CaptureAnswer | null {
  switch (intent.status) {
    case 'succeeded':
      if (intent.amount_received < intent.amount) return declined({ code: 'captured_in_part', declineCode: null });
      return { kind: 'captured' };
    case 'canceled':
      return declined({ code: canceledCode(intent), declineCode: null });
    case 'processing':
      throw undecided(intent);
    default:
      return null;
  }
}

function canceledCode(intent: Intent): string {
  return hasExpired(intent) ? 'charge_expired_for_capture' : 'authorization_voided';
}

/** Stripe itself cancels an authorization that nobody captured in time. */
function hasExpired({ status, cancellation_reason: reason }: Intent): boolean {
  return status === 'canceled' && (reason === 'automatic' || reason === 'expired');
}

/** A PaymentIntent in our words, without its refunds and disputes; null if it was never confirmed, or is not decided. */
export function listedPayment(intent: Intent, installation: string): ListedPayment | null {
  const status = bookedStatus(intent);
  if (status === null) return null;
  const { metadata } = intent;
  const ours = metadata?.installation === installation;
  return {
    authorizationId: intent.id,
    paymentId: ours ? ownId(metadata.paymentId) : null,
    card: (ours && cardSlots.find((slot) => slot === metadata.card)) || null,
    madeBy: ours ? 'us' : metadata?.installation === undefined ? 'unknown' : 'others',
    reference: metadata?.reference ?? null,
    status,
    expired: hasExpired(intent),
    amount: intent.amount,
    currency: intent.currency.toUpperCase(),
    captured: intent.amount_received,
    createdAt: instantOf(intent.created),
  };
}

function bookedStatus(intent: Intent): ListedPayment['status'] | null {
  if (intent.status === 'canceled') return 'voided';
  if (intent.status === 'succeeded') return 'captured';
  return intent.status === 'processing' ? null : (authorizationOf(intent)?.kind ?? null);
}

export function refundAnswerOf(refund: StripeRefund): RefundAnswer {
  switch (refundStatusOf(refund)) {
    case 'failed': {
      const code = refund.failure_reason ?? refund.status ?? 'unknown';
      return { kind: 'failed', providerReference: refund.id, code, detail: `the refund is ${refund.status}` };
    }
    case 'succeeded':
      return { kind: 'succeeded', providerReference: refund.id };
    case 'pending':
      return { kind: 'pending', providerReference: refund.id };
  }
}

/** A status that is new to us counts as pending: it is read again until it is one that we know. */
function refundStatusOf({ status }: StripeRefund): BookedRefund['status'] {
  if (status === 'succeeded') return 'succeeded';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
}

export function refundInBooks(refund: StripeRefund): BookedRefund {
  const status = refundStatusOf(refund);
  return {
    providerReference: refund.id,
    refundId: ownId(refund.metadata?.refundId),
    amount: refund.amount,
    status,
    failure: status === 'failed' ? (refund.failure_reason ?? refund.status ?? 'unknown') : null,
    at: instantOf(refund.created),
  };
}

export function disputeInBooks(dispute: z.infer<typeof disputeShape>): BookedDispute {
  const status = disputeStatusOf(dispute.status);
  return {
    providerReference: dispute.id,
    amount: dispute.amount,
    currency: dispute.currency.toUpperCase(),
    reason: dispute.reason,
    status,
    refundable: status === 'won' || status === 'closed' || dispute.is_charge_refundable,
    openedAt: instantOf(dispute.created),
    // Stripe does not say when.
    closedAt: null,
  };
}

/** `warning_…`: the bank only asks, and no money has moved. A status that is new to us keeps the money away. */
function disputeStatusOf(status: string): DisputeStatus {
  switch (status) {
    case 'warning_needs_response':
    case 'warning_under_review':
      return 'inquiry';
    case 'warning_closed':
    case 'prevented':
      return 'closed';
    case 'won':
    case 'lost':
      return status;
    default:
      return 'open';
  }
}

/** An id of ours; null if it is none. */
function ownId(text: string | undefined): string | null {
  return text !== undefined && /^[a-z]{3}_\w{1,64}$/.test(text) ? text : null;
}

export function instantOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
