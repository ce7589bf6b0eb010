/** Parses the signals of a transfer. */
import { maxQuantity } from '../../domain/limits.js';
import { bad, fieldsOf, isReason, notAReason, ok, type SignalParser } from '../shared/signals.js';
import type { ReceiveRequest } from './contract.js';

/** `{ quantity?, reason? }` or nothing: all that was sent has arrived. */
export const parseReceiveSignal: SignalParser<ReceiveRequest> = (payload, caller) => {
  if (payload === undefined || payload === null) return ok({ quantity: null, reason: null, caller });
  const fields = fieldsOf(payload, ['quantity', 'reason']);
  if (typeof fields === 'string') return bad(fields);
  const { quantity, reason } = fields;
  if (quantity !== undefined && quantity !== null && !isQuantity(quantity))
    return bad(`quantity is not a whole number from 0 to ${maxQuantity}`);
  if (reason !== undefined && reason !== null && !isReason(reason)) return bad(notAReason);
  return ok({ quantity: quantity ?? null, reason: reason ?? null, caller });
};

function isQuantity(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxQuantity;
}
