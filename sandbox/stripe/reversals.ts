/** Refunds and disputes. */
import type { z } from 'zod';
import type { Authorization } from '../payments/books.js';
import { refundedAt } from '../payments/refunds.js';
import { invalid, missing, refused } from './errors.js';
import type { Execution, Ledger } from './ledger.js';
import type { createRefund } from './parameters.js';
import { chargeIdOf, operationKey } from './payments.js';
import { disputeView, type Json, refundView } from './views.js';

export async function refund(
  ledger: Ledger,
  execution: Execution,
  params: z.infer<typeof createRefund>,
): Promise<Json> {
  const authorization = refundedOf(ledger, params);
  const { authorizationId, captured, refunds } = authorization;
  const key = operationKey(execution.id, 'refund');
  const earlier = ledger.processor.books.operation(key)?.request;
  const left = captured - refundedAt(refunds, Date.now());
  const request =
    earlier ?? ({ kind: 'refund', authorizationId, amount: amountOf(authorization, params.amount, left) } as const);
  if (!ledger.asked.refunds.has(key)) {
    const { metadata = {}, reason = null } = params;
    await ledger.post({ type: 'refund', at: Date.now(), operation: key, metadata, reason });
  }
  const outcome = await ledger.move(execution, key, request);
  if (outcome.kind === 'refunded') return view(ledger, outcome.refundId);
  if (outcome.kind !== 'refused') throw new Error(`a refund was ${outcome.kind}`);
  const charge = chargeIdOf(authorizationId);
  if (outcome.code === 'disputed')
    throw refused('charge_disputed', `Charge ${charge} has been charged back; cannot issue a refund.`);
  if (left <= 0) throw refused('charge_already_refunded', `Charge ${charge} has already been refunded.`);
  const message = `Refund amount is greater than unrefunded amount on charge (${left}).`;
  throw refused('amount_too_large', message, { param: 'amount' });
}

/** The merchant gives in: the dispute is lost. */
export async function closeDispute(ledger: Ledger, id: string): Promise<Json> {
  const reply = await ledger.processor.closeDispute(id, 'lost');
  if (reply.kind === 'unknown') throw missing('dispute', id, 'dispute');
  if (reply.kind === 'refused') throw refused('dispute_closed', 'This dispute is already closed.');
  const dispute = ledger.processor.books.dispute(id);
  if (!dispute) throw missing('dispute', id, 'dispute');
  return disputeView(ledger.payments, dispute);
}

function refundedOf({ payments }: Ledger, { payment_intent: intentId, charge }: z.infer<typeof createRefund>) {
  if (charge !== undefined) {
    const found = payments.authorizationOfCharge(charge);
    if (!found) throw missing('charge', charge, 'charge');
    return found;
  }
  if (intentId === undefined) throw invalid('One of the following params should be provided: payment_intent, charge.');
  const intent = payments.intent(intentId);
  if (!intent) throw missing('payment_intent', intentId, 'payment_intent');
  const found = payments.authorization(intent);
  if (found) return found;
  const message = `This PaymentIntent (${intentId}) does not have a successful charge to refund.`;
  throw refused('payment_intent_unexpected_state', message);
}

function amountOf({ authorizationId, status }: Authorization, asked: number | undefined, left: number): number {
  const charge = chargeIdOf(authorizationId);
  if (status !== 'captured')
    throw refused('payment_intent_unexpected_state', `Charge ${charge} has not been captured: cancel its intent.`);
  if (asked !== undefined && asked < 1)
    throw invalid('Invalid positive integer.', 'amount', 'parameter_invalid_integer');
  if (asked === undefined && left <= 0)
    throw refused('charge_already_refunded', `Charge ${charge} has already been refunded.`);
  return asked ?? left;
}

function view(ledger: Ledger, refundId: string): Json {
  const made = ledger.processor.books.refund(refundId);
  if (!made) throw new Error(`refund ${refundId} is not in the books`);
  return refundView(ledger.payments, made);
}
