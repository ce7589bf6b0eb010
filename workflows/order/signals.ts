/** Parses the signals of an order. */
import { patched } from '@temporalio/workflow';
import { isCardToken } from '../../domain/payments/tokens.js';
import { bad, fieldsOf, ok, type ParsedSignal, type SignalParser } from '../shared/signals.js';
import type { ConfirmRequest, PaymentChoice } from './contract.js';

/** `{ payment? }` or nothing. */
export const parseConfirmSignal: SignalParser<ConfirmRequest> = (payload, caller) => {
  if (payload === undefined || payload === null) return ok({ payment: null, caller });
  const fields = fieldsOf(payload, ['payment']);
  if (typeof fields === 'string') return bad(fields);
  if (fields.payment === undefined || fields.payment === null) return ok({ payment: null, caller });
  const parsed = parsePayment(fields.payment);
  return parsed.kind === 'ok' ? ok({ payment: parsed.value, caller }) : parsed;
};

function parsePayment(value: unknown): ParsedSignal<PaymentChoice> {
  const payment = fieldsOf(value, ['cardToken', 'backupCardToken', 'method']);
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

/** A token of any processor: the workflow does not know at which one the payment will be made. */
function isToken(value: unknown): value is string {
  if (!isCardToken(value)) return false;
  // Older histories ignore a signal with another token.
  return /^tok_\w{1,96}$/.test(value) || patched('tokens-of-every-processor');
}
