/** Parses the signals of a subscription. */
import { bad, fieldsOf, ok, type SignalParser } from '../shared/signals.js';
import type { CancelSubscriptionRequest, PlainRequest } from './contract.js';

/** `{ atPeriodEnd? }` or nothing: at once. */
export const parseCancelSubscription: SignalParser<CancelSubscriptionRequest> = (payload, caller) => {
  if (payload === undefined || payload === null) return ok({ atPeriodEnd: false, caller });
  const fields = fieldsOf(payload, ['atPeriodEnd']);
  if (typeof fields === 'string') return bad(fields);
  const { atPeriodEnd = false } = fields;
  return typeof atPeriodEnd === 'boolean' ? ok({ atPeriodEnd, caller }) : bad('atPeriodEnd is neither true nor false');
};

/** Nothing, or an object without members. */
export const parsePlain: SignalParser<PlainRequest> = (payload, caller) => {
  const fields = payload === undefined || payload === null ? {} : fieldsOf(payload, []);
  return typeof fields === 'string' ? bad(fields) : ok({ caller });
};
