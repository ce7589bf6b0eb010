/**
 * The errors that Stripe sends, without their messages and objects: those hold the client secret of a payment and the last
 * digits of its card. Everything else in the gateway sees only what this module returns or throws.
 */
import type { CardRefusal } from '../../../domain/payments/answers.js';
import { providerId } from '../../http/answers.js';
import { GatewayFault } from '../../http/fault.js';
import { gateway } from './transport.js';

export interface StripeRefusal {
  readonly kind: 'refused';
  readonly status: number;
  /** Stripe's error code; `invalid_request` if it sent none. */
  readonly code: string;
  readonly declineCode: string | null;
  /** What Stripe says to do next. */
  readonly advice: string | null;
  /** The parameter that is wrong. */
  readonly param: string | null;
}

export type StripeAnswer<T> = { readonly kind: 'answered'; readonly value: T } | StripeRefusal;

/** Codes of a 400 that only means "not now". */
const passingCodes: ReadonlySet<string> = new Set(['rate_limit', 'lock_timeout', 'idempotency_key_in_use']);

/**
 * Makes one request. Throws a GatewayFault if its outcome is open, and an Error if the request was not allowed or broke the
 * rules of idempotency: a wrong setting or a bug.
 * @param what the request, for the Error
 */
export async function ask<T>(what: string, request: () => Promise<T>): Promise<StripeAnswer<T>> {
  try {
    return { kind: 'answered', value: await request() };
  } catch (error) {
    const fault = memberOf(error, 'detail');
    if (fault instanceof GatewayFault) throw fault;
    return refusalOf(what, error);
  }
}

function refusalOf(what: string, error: unknown): StripeRefusal {
  const status = memberOf(error, 'statusCode');
  // The package's own error, before or after the exchange. Its message may quote the request.
  if (typeof status !== 'number') throw new Error(`${gateway}: ${what} failed in the package: ${nameOf(error)}`);
  const code = codeOf(error, 'code') ?? 'invalid_request';
  const type = codeOf(error, 'rawType') ?? '';
  if (passingCodes.has(code)) throw new GatewayFault(gateway, 'server_error', `answered ${status} ${code}`);
  if (status === 401 || status === 403 || type === 'idempotency_error') {
    const requestId = codeOf(error, 'requestId') ?? 'without an id';
    throw new Error(`${gateway}: ${what} was answered with ${status} ${type} ${code} (request ${requestId})`);
  }
  const [declineCode, param, advice] = [
    codeOf(error, 'decline_code'),
    codeOf(error, 'param'),
    codeOf(error, 'advice_code'),
  ];
  return { kind: 'refused', status, code, declineCode, param, advice };
}

/** Codes for which Stripe wants the cardholder, whom nobody here can ask. */
const authenticationCodes: ReadonlySet<string> = new Set([
  'authentication_required',
  'authentication_not_handled',
  'requires_action_not_handled',
  'payment_intent_authentication_failure',
]);

/** Declines whose reason no customer may learn: it would tell a thief what the bank knows. */
const hiddenDeclines: ReadonlySet<string> = new Set([
  'fraudulent',
  'lost_card',
  'merchant_blacklist',
  'pickup_card',
  'restricted_card',
  'security_violation',
  'stolen_card',
]);

/** A refused card, in our codes. Errors about the request itself are final as well: a repetition gets the same answer. */
export function declined({
  code,
  declineCode,
  advice = null,
}: {
  readonly code: string;
  readonly declineCode: string | null;
  readonly advice?: string | null;
}): CardRefusal {
  const refused = (shown: string): CardRefusal => ({ kind: 'declined', code: 'payment_declined', declineCode: shown });
  if (authenticationCodes.has(code) || authenticationCodes.has(declineCode ?? ''))
    return refused('authentication_required');
  const reason = declineCode ?? code;
  if (reason === 'insufficient_funds')
    return { kind: 'declined', code: 'insufficient_funds', declineCode: 'insufficient_funds' };
  const shown = refused(hiddenDeclines.has(reason) ? 'generic_decline' : reason);
  return hiddenDeclines.has(reason) || advice === 'do_not_try_again' ? { ...shown, final: true } : shown;
}

/** The error for an answer that a correct request never gets. */
export function unexpected(what: string, { status, code, param }: StripeRefusal): Error {
  return new Error(`${gateway}: ${what} was answered with ${status} ${code} ${param ?? ''}`.trimEnd());
}

/** A code, id or parameter of an error; null if it is absent, empty or no such thing. */
function codeOf(error: unknown, name: string): string | null {
  const read = providerId.safeParse(memberOf(error, name));
  return read.success ? read.data : null;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
