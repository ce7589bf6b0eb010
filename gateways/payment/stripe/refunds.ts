/** Refunds at Stripe. Ours carry their id and attempt in the metadata: Stripe cannot be asked for an idempotency key. */
import type Stripe from 'stripe';
import type { RefundAnswer } from '../../../domain/payments/refunds.js';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import { GatewayFault } from '../../http/fault.js';
import type { RefundCall, UndoCaptureAnswer } from '../gateway.js';
import { underKeys } from './keys.js';
import { readRefund, readRefunds, refundAnswerOf, type StripeRefund } from './objects.js';
import { ask, type StripeRefusal, unexpected } from './refusals.js';
import { gateway, type Transport } from './transport.js';

export interface Refunds {
  create(call: RefundCall): Promise<RefundAnswer>;
  find(call: RefundCall): Promise<RefundAnswer | null>;
  /** Returns the money of a charge that is undone. It carries no refund id: it is none of our refunds. */
  undo(operation: CardOperation, paymentIntentId: string, amount: number): Promise<UndoCaptureAnswer>;
  /** Every refund of a payment, newest first. */
  of(paymentIntentId: string): Promise<readonly StripeRefund[]>;
}

const pageSize = 100;
/** Far more refunds than any payment has. */
const maxPages = 20;

/** @param installation names this installation in the metadata */
export function createRefunds(stripe: Stripe, transport: Transport, installation: string): Refunds {
  const of = async (paymentIntentId: string): Promise<readonly StripeRefund[]> => {
    const found: StripeRefund[] = [];
    for (let page = 1; page <= maxPages; page++) {
      const last = found.at(-1);
      const params = { payment_intent: paymentIntentId, limit: pageSize, ...(last && { starting_after: last.id }) };
      const answer = await ask('the look-up of refunds', () => stripe.refunds.list(params));
      if (answer.kind === 'refused') throw unexpected('the look-up of refunds', answer);
      const { data, has_more: more } = readRefunds(answer.value);
      found.push(...data);
      if (!more || data.length === 0) return found;
    }
    throw new GatewayFault(gateway, 'malformed', `${paymentIntentId} has more than ${maxPages * pageSize} refunds`);
  };

  const find = async ({ refundId, attempt, authorizationId }: RefundCall): Promise<RefundAnswer | null> => {
    const ours = (await of(authorizationId)).find(
      ({ metadata }) => metadata?.refundId === refundId && metadata.attempt === String(attempt),
    );
    return ours === undefined ? null : refundAnswerOf(ours);
  };

  const send = async (params: Stripe.RefundCreateParams, idempotencyKey: string): Promise<RefundAnswer> => {
    const answer = await ask('refund', () => stripe.refunds.create(params, { idempotencyKey }));
    return answer.kind === 'refused' ? refusedRefund(answer) : refundAnswerOf(readRefund(answer.value));
  };

  return {
    of,
    find,
    undo: ({ paymentId, card }, payment_intent, amount) =>
      underKeys(transport, `${paymentId}/${card}/refund`, async (idempotencyKey) => {
        const metadata = { installation, paymentId, card };
        const answer = await send({ payment_intent, amount, metadata }, idempotencyKey);
        if (answer.kind === 'over_refund') return answer;
        if (answer.kind === 'succeeded' || answer.kind === 'pending') return { kind: 'returned' };
        if (answer.kind === 'failed' && transport.wasReplayed()) return null;
        const why = answer.kind === 'failed' ? answer.code : answer.kind;
        throw new GatewayFault(gateway, 'server_error', `the money of ${payment_intent} did not go back: ${why}`);
      }),
    create: (call) => {
      const { refundId, attempt, paymentId, authorizationId, amount } = call;
      const metadata = { installation, paymentId, refundId, attempt: String(attempt) };
      return underKeys(transport, `${refundId}/${attempt}`, async (idempotencyKey, number) => {
        // A stored error leaves open whether the money went out, and only a refund's key keeps it from going out twice.
        const made = number === 1 ? null : await find(call);
        if (made !== null) return made;
        const params = { payment_intent: authorizationId, amount, metadata };
        return await send(params, idempotencyKey);
      });
    },
  };
}

function refusedRefund(refusal: StripeRefusal): RefundAnswer {
  const { code, param } = refusal;
  if (code === 'resource_missing') throw unexpected('refund', refusal);
  if (code === 'charge_disputed' || code === 'refund_disputed_payment') return { kind: 'disputed' };
  if (code === 'charge_already_refunded' || code === 'amount_too_large') return { kind: 'over_refund' };
  // Stripe sends no code for an amount above what is left.
  if (code === 'invalid_request' && param === 'amount') return { kind: 'over_refund' };
  return { kind: 'failed', providerReference: null, code, detail: `Stripe refused the refund: ${code}` };
}
