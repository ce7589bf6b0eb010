/** Reading what a signal brings. People type signals by hand: whatever comes is looked at, and nothing throws. */
import { valueHoldsCardNumber } from '../../domain/cards/numbers.js';
import { maxReasonLength } from '../../domain/limits.js';
import type { PaymentChoice } from './contract.js';

export type ParsedSignal<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'bad'; readonly problem: string };

export const ok = <T>(value: T): ParsedSignal<T> => ({ kind: 'ok', value });
export const bad = (problem: string): { kind: 'bad'; problem: string } => ({ kind: 'bad', problem });

/** `{ payment? }` or nothing. */
export function parseConfirmSignal(payload: unknown): ParsedSignal<PaymentChoice | null> {
  if (payload === undefined || payload === null) return ok(null);
  const fields = fieldsOf(payload, ['payment']);
  if (typeof fields === 'string') return bad(fields);
  if (fields.payment === undefined || fields.payment === null) return ok(null);
  const payment = fieldsOf(fields.payment, ['cardToken', 'backupCardToken', 'method']);
  if (typeof payment === 'string') return bad(`payment: ${payment}`);
  const { cardToken, backupCardToken, method } = payment;
  if (method !== undefined)
    return method === 'external' && cardToken === undefined && backupCardToken === undefined
      ? ok({ method: 'external' })
      : bad('payment: method is "external" and stands alone');
  if (!isToken(cardToken)) return bad('payment.cardToken is not a card token');
  if (backupCardToken === undefined) return ok({ cardToken });
  return isToken(backupCardToken)
    ? ok({ cardToken, backupCardToken })
    : bad('payment.backupCardToken is not a card token');
}

/** `{ reason? }` or nothing. */
export function parseCancelSignal(payload: unknown): ParsedSignal<string | null> {
  if (payload === undefined || payload === null) return ok(null);
  const fields = fieldsOf(payload, ['reason']);
  if (typeof fields === 'string') return bad(fields);
  const { reason } = fields;
  if (reason === undefined || reason === null) return ok(null);
  return isReason(reason) ? ok(reason) : bad(notAReason);
}

export const notAReason = `reason is not a text of at most ${maxReasonLength} characters`;

/** A text that the database can keep: without NUL, and without half of a character. */
export function isReason(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxReasonLength && !/\0|\p{Surrogate}/u.test(value);
}

/** Whether anything in the payload looks like a card number: such a signal is refused, and nothing of it is repeated. */
export function bringsCardNumber(payload: unknown): boolean {
  return valueHoldsCardNumber(payload);
}

/** The members of an object that has none but the allowed ones; else what is wrong with it. */
export function fieldsOf(value: unknown, allowed: readonly string[]): Record<string, unknown> | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const unknown = Object.keys(value).find((key) => !allowed.includes(key));
  // The name is not repeated: whoever typed it may have typed a card number.
  return unknown === undefined ? { ...value } : `has a field other than ${allowed.join(', ')}`;
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^tok_[A-Za-z0-9_]{1,96}$/.test(value);
}
