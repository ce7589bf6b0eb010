/** Stripe's objects. Amounts in minor units, times in seconds since 1970. */
import { createHash } from 'node:crypto';
import type { Authorization } from '../payments/books.js';
import { type Dispute, isRefundable, isUndecided } from '../payments/disputes.js';
import { type Refund, refundedAt, refundFailure, refundStatus } from '../payments/refunds.js';
import type { Intent, Method, StoredEvent } from './books.js';
import { declineOf } from './errors.js';
import type { FactOf } from './facts.js';
import { chargeIdOf, createdAt, type Payments } from './payments.js';

/** The version of Stripe's API whose shapes these are. */
export const apiVersion = '2026-10-28.endive';
const authorizationDays = 7;

export const seconds = (ms: number) => Math.floor(ms / 1000);

export type Json = Readonly<Record<string, unknown>>;

export function intentView(payments: Payments, intent: Intent): Json {
  const authorization = payments.authorization(intent);
  const last = payments.lastAuthorization(intent);
  const status = payments.status(intent);
  const declineCode = payments.declineCode(intent);
  const method = declineCode === null ? (intent.attempts.at(-1)?.method ?? intent.method) : null;
  const held = authorization?.status === 'authorized' ? authorization.amount : 0;
  const voidedAt = authorization?.changes.find(({ kind }) => kind === 'voided')?.at;
  const canceledAt = status === 'canceled' ? (voidedAt ?? intent.cancelled?.at) : undefined;
  return {
    id: intent.id,
    object: 'payment_intent',
    amount: intent.amount,
    amount_capturable: held,
    amount_received: authorization?.captured ?? 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: canceledAt === undefined ? null : seconds(canceledAt),
    cancellation_reason: status === 'canceled' ? (intent.cancelled?.reason ?? null) : null,
    capture_method: intent.captureMethod,
    client_secret: `${intent.id}_secret_${digest(intent.id, 24)}`,
    confirmation_method: 'automatic',
    created: seconds(intent.createdAt),
    currency: intent.currency.toLowerCase(),
    customer: intent.customer,
    description: intent.description,
    last_payment_error:
      declineCode === null || !last
        ? null
        : { ...declineOf(declineCode), charge: chargeIdOf(last.authorizationId), payment_method: null },
    latest_charge: last ? chargeIdOf(last.authorizationId) : null,
    livemode: false,
    metadata: intent.metadata,
    next_action: status === 'requires_action' ? { type: 'use_stripe_sdk', use_stripe_sdk: {} } : null,
    payment_method: method,
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    setup_future_usage: intent.setupFutureUsage,
    shipping: null,
    status,
    transfer_group: null,
  };
}

export function chargeView(payments: Payments, authorization: Authorization): Json {
  const { authorizationId, token, amount, currency, status, captured, refunds, disputes } = authorization;
  const intent = payments.intentOf(authorization);
  const attempt = intent?.attempts.at(-1);
  const declineCode = status === 'declined' && intent ? (payments.declineCode(intent) ?? 'generic_decline') : null;
  const refunded = status === 'voided' ? amount : amount - captured + refundedAt(refunds, Date.now());
  const amountRefunded = status === 'captured' || status === 'voided' ? refunded : 0;
  const created = createdAt(authorization);
  return {
    id: chargeIdOf(authorizationId),
    object: 'charge',
    amount,
    amount_captured: captured,
    amount_refunded: amountRefunded,
    balance_transaction: captured > 0 ? `txn_${digest(authorizationId, 24)}` : null,
    captured: status === 'captured',
    created: seconds(created),
    currency: currency.toLowerCase(),
    customer: intent?.customer ?? null,
    description: intent?.description ?? null,
    disputed: disputes.length > 0,
    failure_code: declineCode === null ? null : declineOf(declineCode).code,
    failure_message: declineCode === null ? null : declineOf(declineCode).message,
    livemode: false,
    metadata: intent?.metadata ?? {},
    outcome: {
      network_status: declineCode === null ? 'approved_by_network' : 'declined_by_network',
      reason: declineCode,
      risk_level: 'normal',
      type: declineCode === null ? 'authorized' : 'issuer_declined',
    },
    paid: status !== 'declined',
    payment_intent: intent?.id ?? null,
    payment_method: attempt?.method ?? intent?.method ?? null,
    payment_method_details: {
      type: 'card',
      card: {
        ...cardOf(token),
        amount_authorized: amount,
        capture_before: seconds(created + authorizationDays * 86_400_000),
        network_transaction_id: digits(authorizationId, 15),
      },
    },
    refunded: amountRefunded === amount,
    status: status === 'declined' ? 'failed' : 'succeeded',
  };
}

export function refundView(payments: Payments, refund: Refund): Json {
  const { refundId, authorizationId, amount, at, idempotencyKey } = refund;
  const authorization = payments.money.authorization(authorizationId);
  const asked = idempotencyKey === null ? undefined : payments.asked.refunds.get(idempotencyKey);
  const status = refundStatus(refund, Date.now());
  return {
    id: refundId,
    object: 'refund',
    amount,
    balance_transaction: `txn_${digest(refundId, 24)}`,
    charge: chargeIdOf(authorizationId),
    created: seconds(at),
    currency: authorization?.currency.toLowerCase(),
    ...(status === 'failed' && { failure_reason: refundFailure }),
    metadata: asked?.metadata ?? {},
    payment_intent: authorization ? (payments.intentOf(authorization)?.id ?? null) : null,
    ...(status === 'pending' && { pending_reason: 'processing' }),
    reason: asked?.reason ?? null,
    receipt_number: null,
    status,
  };
}

const disputeStatus = {
  inquiry: 'warning_needs_response',
  open: 'needs_response',
  won: 'won',
  lost: 'lost',
  closed: 'warning_closed',
} as const;

export function disputeView(payments: Payments, dispute: Dispute): Json {
  const { disputeId, authorizationId, amount, reason, status, openedAt } = dispute;
  const authorization = payments.money.authorization(authorizationId);
  return {
    id: disputeId,
    object: 'dispute',
    amount,
    balance_transactions: [],
    charge: chargeIdOf(authorizationId),
    created: seconds(openedAt),
    currency: authorization?.currency.toLowerCase(),
    evidence_details: { due_by: null, has_evidence: false, past_due: false, submission_count: 0 },
    is_charge_refundable: isUndecided(dispute) ? isRefundable([dispute]) : status !== 'lost',
    livemode: false,
    metadata: {},
    payment_intent: authorization ? (payments.intentOf(authorization)?.id ?? null) : null,
    reason,
    status: disputeStatus[status],
  };
}

export function customerView({ id, at, email, name, description, metadata }: FactOf<'customer'>): Json {
  const created = seconds(at);
  return { id, object: 'customer', created, description, email, livemode: false, metadata, name };
}

export function methodView({ id, token, createdAt: at, customer }: Method): Json {
  return {
    id,
    object: 'payment_method',
    card: cardOf(token),
    created: seconds(at),
    customer,
    livemode: false,
    metadata: {},
    type: 'card',
  };
}

export function tokenView(id: string): Json {
  const card = cardOf(id);
  return { id, object: 'token', card, created: 0, livemode: false, type: 'card', used: false };
}

export function eventView({ id, at, name, object, send, outcome }: StoredEvent): Json {
  return {
    id,
    object: 'event',
    api_version: apiVersion,
    created: seconds(at),
    data: { object },
    livemode: false,
    pending_webhooks: send && outcome === null ? 1 : 0,
    request: { id: null, idempotency_key: null },
    type: name,
  };
}

function cardOf(token: string): Json {
  const mastercard = /mastercard/i.test(token);
  const brand = mastercard ? 'mastercard' : 'visa';
  return {
    brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    exp_month: 12,
    exp_year: 2034,
    fingerprint: digest(token, 16),
    funding: 'credit',
    last4: mastercard ? '4444' : '4242',
    network: brand,
  };
}

/** Always the same text for the same one. */
function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

function digits(text: string, length: number): string {
  return BigInt(`0x${digest(text, 24)}`)
    .toString()
    .padStart(length, '1')
    .slice(0, length);
}
