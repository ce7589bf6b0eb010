/**
 * Parses the payloads of signals. People type signals by hand, so a parser checks everything and never throws. Each saga's
 * signals.ts has the parsers of its own commands.
 */
import { valueHoldsCardNumber } from '../../domain/cards/numbers.js';
import { maxReasonLength } from '../../domain/limits.js';
import type { Caller, CancelRequest } from './contract.js';

export type ParsedSignal<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'bad'; readonly problem: string };

/** Parses the unchecked payload of a signal. */
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

/** Whether the value is a text that Postgres can store: no NUL and no lone surrogate. */
export function isReason(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxReasonLength && !/\0|\p{Surrogate}/u.test(value);
}

/** Whether the payload holds what looks like a card number. Such a signal is ignored, and none of it is logged. */
export function bringsCardNumber(payload: unknown): boolean {
  return valueHoldsCardNumber(payload);
}

/** The members of an object that has only allowed ones; else a sentence about the problem. */
export function fieldsOf(value: unknown, allowed: readonly string[]): Record<string, unknown> | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const unknown = Object.keys(value).find((key) => !allowed.includes(key));
  // The unknown name is not repeated: it may be a card number.
  return unknown === undefined ? { ...value } : `has a field other than ${allowed.join(', ')}`;
}
