/** A payment of its own: `payment/<id>`. */
import { allHandlersFinished, CancellationScope, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { isRefusalCode, type Refusal, refusal } from '../domain/errors.js';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../domain/order-steps.js';
import { charge } from './charge.js';
import { type PaymentAnswer, type PaymentInput, paymentUpdates } from './contract.js';
import { database } from './proxies.js';
import { Saga } from './saga.js';

const decided = defineUpdate<PaymentAnswer>(paymentUpdates.decided);

export async function payment(input: PaymentInput): Promise<PaymentAnswer> {
  let answer: PaymentAnswer | undefined;
  setHandler(decided, async () => {
    await condition(() => answer !== undefined);
    return answer as PaymentAnswer;
  });

  // Somebody who cancels the workflow wants the payment stopped, not the books left open.
  let stopWanted = false;
  CancellationScope.current().cancelRequested.catch(() => {
    stopWanted = true;
  });
  return await CancellationScope.nonCancellable(async () => {
    answer = await chargeAndRecord(input, () => stopWanted);
    await condition(allHandlersFinished);
    return answer;
  });
}

async function chargeAndRecord(input: PaymentInput, stopWanted: () => boolean): Promise<PaymentAnswer> {
  const saga = new Saga(input.pace);
  let standing: PaymentStanding = { status: 'pending', failure: null };
  const outcome = await charge(saga, {
    ...input,
    orderId: null,
    traceparent: input.caller.traceparent,
    abandoned: [],
    stopWanted,
    abandon: async (card, soFar) => {
      standing = await database.abandonPayment(soFar, card);
      return standing.status === 'pending';
    },
  });
  if (outcome.kind === 'decided') return answerOf(input, standing, null);
  standing = await database.recordPayment(outcome.payment, mailsAfter(outcome.payment));
  // Its card was given up by a task that was lost: the money goes back, and the payment has failed.
  if (outcome.kind === 'captured' && standing.status === 'pending') {
    await saga.compensate();
    const failure = { code: 'all_payment_attempts_failed', detail: 'the payment was stopped; the money was returned' };
    standing = await database.recordPayment({ ...outcome.payment, status: 'failed', cardUsed: null, failure }, []);
  }
  return answerOf(input, standing, outcome.kind === 'refused' ? outcome.refusal : null);
}

function answerOf(input: PaymentInput, { status, failure }: PaymentStanding, why: Refusal | null): PaymentAnswer {
  if (failure === null) return { kind: 'done', status };
  const code = isRefusalCode(failure.code) ? failure.code : 'all_payment_attempts_failed';
  return { kind: 'refused', status, refusal: withPaymentId(why ?? refusal(code, failure.detail), input.paymentId) };
}

function withPaymentId(refusal: Refusal, paymentId: string): Refusal {
  return { ...refusal, extensions: { ...refusal.extensions, paymentId } };
}

/** A receipt for what was captured, a word to the customer whose card had too little on it. */
export function mailsAfter(record: PaymentRecord): readonly MailRequest[] {
  if (record.email === null) return [];
  if (record.status === 'captured') return [{ template: 'receipt', paymentId: record.id }];
  const short =
    record.failure?.code === 'insufficient_funds' ||
    record.attempts.some((attempt) => attempt.code === 'insufficient_funds');
  return short ? [{ template: 'insufficient_funds', paymentId: record.id }] : [];
}
