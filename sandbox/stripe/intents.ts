/** PaymentIntents: created, confirmed, captured, cancelled. */
import type { z } from 'zod';
import type { Authorization } from '../payments/books.js';
import { report } from '../report.js';
import type { Intent } from './books.js';
import { declined, invalid, missing, refused, type StripeError } from './errors.js';
import { checkUse, keepMethod, methodFor } from './intent-methods.js';
import type { Execution, Ledger } from './ledger.js';
import type { cancelIntent, captureIntent, confirmIntent, createIntent } from './parameters.js';
import { chargeIdOf, operationKey } from './payments.js';
import { intentView, type Json } from './views.js';

const minimum: Readonly<Record<string, number>> = {
  GBP: 30,
  JPY: 50,
  CHF: 50,
  SEK: 300,
  DKK: 250,
  NOK: 300,
  MXN: 1000,
};
const defaultMinimum = 50;
const maximum = 99_999_999;

/** Throws unless an intent of this amount can be made. */
function checkAmount({ amount, currency }: { amount: number; currency: string }): void {
  const code = currency.toUpperCase();
  const least = minimum[code] ?? defaultMinimum;
  if (amount < least) {
    const message = `The amount must be at least ${least} in the smallest unit of ${code}.`;
    throw invalid(message, 'amount', 'amount_too_small');
  }
  if (amount > maximum) throw invalid('The amount is too large.', 'amount', 'amount_too_large');
}

export async function create(
  ledger: Ledger,
  execution: Execution,
  params: z.infer<typeof createIntent>,
): Promise<Json> {
  const id = `pi_${execution.id}`;
  const { confirm = false, customer = null, metadata = {} } = params;
  if (!ledger.payments.intent(id)) {
    checkAmount(params);
    if (!confirm && (params.off_session !== undefined || params.error_on_requires_action !== undefined))
      throw invalid('This parameter can only be used when confirm=true.', 'off_session');
    if (customer !== null && !ledger.asked.customers.has(customer)) throw missing('customer', customer, 'customer');
    const method = await methodFor(ledger, execution, params, null);
    if (method) checkUse(method, id, customer);
    await ledger.post({
      type: 'intent',
      at: Date.now(),
      intent: {
        id,
        amount: params.amount,
        currency: params.currency.toUpperCase(),
        captureMethod: params.capture_method === 'manual' ? 'manual' : 'automatic',
        customer,
        description: params.description ?? null,
        metadata,
        setupFutureUsage: params.setup_future_usage || null,
        method: method?.id ?? null,
      },
    });
  }
  return confirm ? confirmIntentOf(ledger, execution, id, params) : view(ledger, id);
}

export async function confirmIntentOf(
  ledger: Ledger,
  execution: Execution,
  id: string,
  params: z.infer<typeof confirmIntent>,
): Promise<Json> {
  const { challenged, method } = await attempt(ledger, execution, id, params);
  if (challenged) return view(ledger, id);
  const intent = known(ledger, id);
  const card = ledger.payments.method(method);
  if (!card) throw missing('PaymentMethod', method, 'payment_method');
  const outcome = await ledger.move(
    execution,
    operationKey(execution.id, 'confirm'),
    {
      kind: 'authorize',
      token: card.token,
      amount: intent.amount,
      currency: intent.currency,
      reference: referenceOf(intent),
    },
    {
      authorizationId: id,
      // Decided in the same instant as the authorization: a cancel that was first makes this confirm fail.
      check: () => {
        const now = known(ledger, id);
        if (now.cancelled || ledger.payments.authorization(now)) throw unexpectedState(ledger, now, 'confirmed');
      },
    },
  );
  if (outcome.kind === 'declined')
    throw declined(outcome.declineCode, chargeIdOf(outcome.authorizationId), view(ledger, id));
  await keepMethod(ledger, intent, card);
  if (intent.captureMethod === 'automatic') await captureAtOnce(ledger, execution, intent);
  return view(ledger, id);
}

export async function capture(
  ledger: Ledger,
  execution: Execution,
  id: string,
  params: z.infer<typeof captureIntent>,
): Promise<Json> {
  const intent = known(ledger, id);
  const authorization = ledger.payments.authorization(intent);
  const key = operationKey(execution.id, 'capture');
  const earlier = ledger.processor.books.operation(key)?.request;
  if (!authorization || (!earlier && authorization.status !== 'authorized'))
    throw unexpectedState(ledger, intent, 'captured');
  const amount = params.amount_to_capture ?? intent.amount;
  if (params.final_capture === false)
    throw invalid('This PaymentIntent can be captured once only.', 'final_capture', 'parameter_invalid');
  if (amount < 1) throw invalid('Invalid positive integer.', 'amount_to_capture', 'parameter_invalid_integer');
  if (amount > intent.amount) {
    const message = `The amount to capture is greater than the amount that can be captured, ${intent.amount}.`;
    throw invalid(message, 'amount_to_capture', 'amount_too_large');
  }
  await take(ledger, execution, intent, authorization, amount);
  if (params.metadata && ledger.asked.intents.has(id))
    await ledger.post({ type: 'metadata', at: Date.now(), intent: id, metadata: params.metadata });
  return view(ledger, id);
}

export async function cancel(
  ledger: Ledger,
  execution: Execution,
  id: string,
  params: z.infer<typeof cancelIntent>,
): Promise<Json> {
  const intent = known(ledger, id);
  const reason = params.cancellation_reason ?? null;
  const cancelled = { type: 'cancelled', at: Date.now(), intent: id, execution: execution.id, reason } as const;
  const key = operationKey(execution.id, 'cancel');
  const authorization = ledger.payments.authorization(intent);
  if (authorization) {
    const again = ledger.processor.books.operation(key) !== undefined;
    if (!again && authorization.status !== 'authorized') throw unexpectedState(ledger, intent, 'canceled');
    const { authorizationId } = authorization;
    const outcome = await ledger.move(execution, key, { kind: 'void', authorizationId });
    if (outcome.kind === 'refused') throw unexpectedState(ledger, intent, 'canceled');
    if (ledger.asked.intents.has(id) && !known(ledger, id).cancelled) await ledger.post(cancelled);
  } else if (!intent.cancelled) {
    if (!ledger.asked.intents.has(id)) throw unexpectedState(ledger, intent, 'canceled');
    await ledger.post(cancelled);
  } else if (intent.cancelled.execution !== execution.id) throw unexpectedState(ledger, intent, 'canceled');
  return view(ledger, id);
}

/** The attempt of this execution. Begins it if it was not begun before. */
async function attempt(ledger: Ledger, execution: Execution, id: string, params: z.infer<typeof confirmIntent>) {
  const intent = known(ledger, id);
  const begun = intent.attempts.find((earlier) => earlier.execution === execution.id);
  if (begun) return begun;
  const status = ledger.payments.status(intent);
  if (status === 'requires_capture' || status === 'succeeded' || status === 'canceled')
    throw unexpectedState(ledger, intent, 'confirmed');
  if (params.off_session && (params.setup_future_usage || intent.setupFutureUsage !== null))
    throw invalid('off_session cannot be used with setup_future_usage: the cardholder must be present.', 'off_session');
  const method = await methodFor(ledger, execution, params, intent);
  if (!method) {
    const message = 'You cannot confirm this PaymentIntent because it is missing a payment method.';
    throw refused('payment_intent_unexpected_state', message, { payment_intent: view(ledger, id) });
  }
  checkUse(method, id, intent.customer);
  const challenged =
    method.token === 'pm_card_authenticationRequired' && !params.off_session && !params.error_on_requires_action;
  const made = { execution: execution.id, method: method.id, challenged };
  await ledger.post({ type: 'attempt', at: Date.now(), intent: id, ...made });
  return made;
}

/** Captures what is to be captured without being asked. If the bank refuses, nothing stays held. */
async function captureAtOnce(ledger: Ledger, execution: Execution, intent: Intent): Promise<void> {
  const authorization = ledger.payments.authorization(intent);
  if (authorization) await take(ledger, execution, intent, authorization, intent.amount);
}

async function take(
  ledger: Ledger,
  execution: Execution,
  intent: Intent,
  { authorizationId }: Authorization,
  amount: number,
): Promise<void> {
  const outcome = await ledger.move(execution, operationKey(execution.id, 'capture'), {
    kind: 'capture',
    authorizationId,
    amount,
    ...(amount < intent.amount && { partial: true }),
  });
  if (outcome.kind === 'declined')
    throw declined(outcome.declineCode, chargeIdOf(authorizationId), view(ledger, intent.id));
  if (outcome.kind === 'refused') throw unexpectedState(ledger, intent, 'captured');
}

/** Does what follows an authorization, for those whose call a kill has interrupted. */
export async function finishPayments(ledger: Ledger): Promise<void> {
  for (const intent of ledger.asked.intents.values()) {
    const attempt = intent.attempts.at(-1);
    const method = attempt && ledger.payments.method(attempt.method);
    if (!attempt || !method || !ledger.payments.authorization(intent)) continue;
    try {
      await keepMethod(ledger, intent, method);
      if (intent.captureMethod === 'automatic' && ledger.payments.status(intent) === 'requires_capture')
        await captureAtOnce(ledger, { id: attempt.execution, answerLost: false }, intent);
    } catch (error) {
      // The card scripts it: a repeated call gets the same.
      report(`${intent.id} stays as it is: ${error instanceof Error ? error.message : error}`);
    }
  }
}

function known(ledger: Ledger, id: string): Intent {
  const intent = ledger.payments.intent(id);
  if (!intent) throw missing('payment_intent', id, 'intent');
  return intent;
}

function view(ledger: Ledger, id: string): Json {
  return intentView(ledger.payments, known(ledger, id));
}

/** The books of the processor know a payment by this. */
function referenceOf({ id, metadata, description }: Intent): string {
  return (metadata.reference || description || id).slice(0, 255);
}

function unexpectedState(ledger: Ledger, intent: Intent, what: string): StripeError {
  const status = ledger.payments.status(intent);
  const message = `This PaymentIntent could not be ${what} because it has a status of ${status}.`;
  return refused('payment_intent_unexpected_state', message, { payment_intent: view(ledger, intent.id) });
}
