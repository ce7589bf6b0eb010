/** A payment without an order: `payment/<id>`. */
import { allHandlersFinished, condition, defineUpdate, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { isRefusalCode, type Refusal, refusal } from '../../domain/errors.js';
import { formatMoney } from '../../domain/money.js';
import type { PaymentStanding } from '../../domain/orders/steps.js';
import { mailsAfter, paymentRecord } from '../../domain/payments/record.js';
import type { PaymentAttempt } from '../../domain/payments/states.js';
import { charge } from '../../domain/purchase/purchase.js';
import { nothingDone } from '../../domain/purchase/steps.js';
import { refusalOf } from '../../domain/refusals.js';
import { runToEnd } from '../shared/cancellation.js';
import { chargeByActivities, leftUndecided, undoMoney } from '../shared/charge.js';
import { currentInput } from '../shared/earlier-names.js';
import { FirstAnswer } from '../shared/first-answer.js';
import { hearProcessor } from '../shared/processor-reports.js';
import { database } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import { type PaymentAnswer, type PaymentInput, paymentUpdates } from './contract.js';

const decided = defineUpdate<PaymentAnswer>(paymentUpdates.decided);

export async function payment(recorded: PaymentInput): Promise<PaymentAnswer> {
  const input = currentInput(recorded);
  const answer = new FirstAnswer<PaymentAnswer>();
  setHandler(decided, () => answer.given);
  hearProcessor();

  // Cancelling the workflow in the Web UI stops the payment and returns its money.
  let stopWanted = false;
  const onCancel = () => {
    stopWanted = true;
  };
  return await runToEnd({ onCancel, wanted: () => stopWanted }, async () => {
    setCurrentDetails(`pending, ${formatMoney(input)}: is being charged`);
    answer.give(await chargeAndRecord(input, () => stopWanted));
    await condition(allHandlersFinished);
    return await answer.given;
  });
}

async function chargeAndRecord(input: PaymentInput, stopWanted: () => boolean): Promise<PaymentAnswer> {
  const saga = new Saga(input.retry);
  let standing: PaymentStanding = { status: 'pending', failure: null };
  const { actor, requestId, traceparent } = input.caller;
  const facts = { ...input, orderId: null, traceparent, abandoned: [], by: { actor, requestId } };
  const steps = chargeByActivities(input.retry, {
    giveUp: async (card, soFar) => {
      standing = await database.abandonPayment(soFar, card);
      return standing.status === 'pending';
    },
    cancelWanted: stopWanted,
  });
  const why = await limitReached(input);
  if (why !== null) {
    const refused = paymentRecord(facts, 'failed', { attempts: [], score: null, providerReference: null }, null, why);
    return decide(input, await database.recordPayment(refused, []), why, []);
  }
  const outcome = await charge(facts, steps, undoMoney(saga, null), nothingDone());
  if (outcome.kind === 'undecided') return leftUndecided();
  if (outcome.kind === 'decided') return decide(input, standing, null, []);
  const { payment } = outcome;
  standing = await database.recordPayment(payment, mailsAfter(payment));
  // A lost task has given the card up: return the money and fail the payment.
  if (outcome.kind === 'captured' && standing.status === 'pending') {
    await saga.compensate();
    const failure = { code: 'all_payment_attempts_failed', detail: 'the payment was stopped; the money was returned' };
    standing = await database.recordPayment({ ...payment, status: 'failed', cardUsed: null, failure }, []);
  }
  return decide(input, standing, outcome.kind === 'refused' ? outcome.refusal : null, payment.attempts);
}

/** Counts the payment towards its customer's limits. The refusal where one is reached; null: it may go on. */
async function limitReached({ limits, ...payment }: PaymentInput): Promise<Refusal | null> {
  if (limits === undefined) return null;
  const { paymentId, customerId, amount, currency } = payment;
  const retryAfterSeconds = await database.takeCustomerLimit({ paymentId, customerId, amount, currency, limits });
  return retryAfterSeconds === null ? null : refusalOf('customer_limit_reached', { retryAfterSeconds });
}

/** The answer. Also shows it to operators in the Web UI. */
function decide(
  input: PaymentInput,
  standing: PaymentStanding,
  why: Refusal | null,
  attempts: readonly PaymentAttempt[],
): PaymentAnswer {
  const { status, failure } = standing;
  const tried = attempts.map(({ card, outcome }) => `${card} card ${outcome}`).join(', ');
  const how = failure === null ? tried : `${failure.code}, ${failure.detail}${tried && ` (${tried})`}`;
  setCurrentDetails(`${status}, ${formatMoney(input)}${how && `: ${how}`}`);
  return answerOf(input, standing, why);
}

function answerOf(input: PaymentInput, { status, failure }: PaymentStanding, why: Refusal | null): PaymentAnswer {
  if (failure === null) return { kind: 'done', status };
  const code = isRefusalCode(failure.code) ? failure.code : 'all_payment_attempts_failed';
  return { kind: 'refused', status, refusal: withPaymentId(why ?? refusal(code, failure.detail), input.paymentId) };
}

function withPaymentId(refusal: Refusal, paymentId: string): Refusal {
  return { ...refusal, extensions: { ...refusal.extensions, paymentId } };
}
