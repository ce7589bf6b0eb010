/**
 * Reading what a signal brings. People type signals by hand: whatever comes is checked, and nothing throws. Each saga has
 * the parsers of its own commands in its signals.ts.
 */
import { valueHoldsCardNumber } from '../../domain/cards/numbers.js';
import { maxReasonLength } from '../../domain/limits.js';
import type { Caller, CancelRequest } from './contract.js';

export type ParsedSignal<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'bad'; readonly problem: string };

/** Reads the payload of a signal, of which nobody knows what it is. */
export type SignalParser<Request> = (payload: unknown, caller: Caller) => ParsedSignal<Request>;

export const ok = <T>(value: T): ParsedSignal<T> => ({ kind: 'ok', value });
export const bad = (problem: string): { kind: 'bad'; problem: string } => ({ kind: 'bad', problem });

/** `{ reason? }` or nothing. */
export const parseCancelSignal: SignalParser<CancelRequest> = (payload, caller) => {
  if (payload === undefined || payload === null) return ok({ reason: null, caller });
  const fields = fieldsOf(payload, ['reason']);
  if (typeof fields === 'string') return bad(fields);
  const { reason } = fields;
  if (reason === undefined || reason === null) return ok({ reason: null, caller });
  return isReason(reason) ? ok({ reason, caller }) : bad(notAReason);
};

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
  // The name is not repeated: the person who typed it may have typed a card number.
  return unknown === undefined ? { ...value } : `has a field other than ${allowed.join(', ')}`;
}
