/**
 * The life of one PaymentIntent: created, confirmed, captured or cancelled. Its state at Stripe admits each of these once,
 * whatever the idempotency keys: a request that comes too late is refused, and the state tells the answer.
 */
import type Stripe from 'stripe';
import type { AuthorizeAnswer, CaptureAnswer, CardRefusal } from '../../../domain/payments/answers.js';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import type { OperationKey, VoidAnswer } from '../gateway.js';
import { methodOfToken } from './cards.js';
import { underKeys } from './keys.js';
import { authorizationOf, captureOf, type Intent, readIntent, undecided } from './objects.js';
import { ask, declined, type StripeRefusal, unexpected } from './refusals.js';
import { gateway, type Transport } from './transport.js';

export interface Intents {
  /** Creates a PaymentIntent that takes no money yet. Returns its id. */
  create(operation: CardOperation): Promise<string | CardRefusal>;
  /** Reserves the money. */
  confirm(operation: CardOperation, id: string): Promise<AuthorizeAnswer>;
  capture(operation: CardOperation, id: string): Promise<CaptureAnswer>;
  /** Cancels it for good: a confirmation or capture that is still on its way then fails. */
  cancel(operation: OperationKey, id: string): Promise<VoidAnswer>;
  /** Null if Stripe does not know it. */
  retrieve(id: string): Promise<Intent | null>;
}

/** Stripe's codes for a request that does not fit the state of its object. */
const stateCodes: ReadonlySet<string> = new Set(['payment_intent_unexpected_state', 'charge_already_captured']);

/** @param installation names this installation in the metadata */
export function createIntents(stripe: Stripe, transport: Transport, installation: string): Intents {
  const { paymentIntents } = stripe;

  const retrieve = async (id: string): Promise<Intent | null> => {
    const answer = await ask('the look-up of a payment', () => paymentIntents.retrieve(id));
    if (answer.kind === 'answered') return readIntent(answer.value);
    if (answer.code === 'resource_missing') return null;
    throw unexpected('the look-up of a payment', answer);
  };

  /** Sends a request that its object's state admits once. `outcomeOf` is null while that state is still ahead. */
  const change = <T>(
    what: string,
    key: string,
    id: string,
    request: (key: string) => Promise<unknown>,
    outcomeOf: (intent: Intent) => T | null,
    refused: (refusal: StripeRefusal) => T,
  ): Promise<T> =>
    underKeys(transport, key, async (attemptKey) => {
      const answer = await ask(what, () => request(attemptKey));
      const stored = transport.wasReplayed();
      if (answer.kind === 'refused' && answer.code === 'resource_missing' && answer.param === 'intent')
        throw new Error(`${gateway}: this account does not know ${id}`);
      if (answer.kind === 'refused' && !stateCodes.has(answer.code)) return refused(answer);
      const intent = answer.kind === 'answered' ? readIntent(answer.value) : await retrieve(id);
      if (intent === null) throw new Error(`${gateway}: this account does not know ${id}`);
      const outcome = outcomeOf(intent);
      if (outcome === null && !stored) throw undecided(intent);
      return outcome;
    });

  return {
    retrieve,
    create: async (operation) => {
      const method = await methodOfToken(stripe, transport, operation.token, keyOf(operation, 'method'));
      if (typeof method !== 'string') return method;
      return await underKeys(transport, keyOf(operation, 'create'), async (idempotencyKey) => {
        const params = { ...newIntent(operation, method), metadata: metadataOf(operation, installation) };
        const answer = await ask('create', () => paymentIntents.create(params, { idempotencyKey }));
        return answer.kind === 'refused' ? declined(answer) : readIntent(answer.value).id;
      });
    },
    confirm: (operation, id) =>
      change(
        'confirm',
        keyOf(operation, 'authorize'),
        id,
        (idempotencyKey) => paymentIntents.confirm(id, confirmation(operation), { idempotencyKey }),
        authorizationOf,
        declined,
      ),
    capture: (operation, id) =>
      change(
        'capture',
        keyOf(operation, 'capture'),
        id,
        (idempotencyKey) => paymentIntents.capture(id, { amount_to_capture: operation.amount }, { idempotencyKey }),
        captureOf,
        declined,
      ),
    cancel: (operation, id) =>
      change(
        'cancel',
        keyOf(operation, 'void'),
        id,
        (idempotencyKey) => paymentIntents.cancel(id, {}, { idempotencyKey }),
        cancelOf,
        (refusal) => {
          throw unexpected('cancel', refusal);
        },
      ),
  };
}

/** A card that asks for its holder is declined: nobody here can show them their bank's page. */
function confirmation({ merchantInitiated }: CardOperation): Stripe.PaymentIntentConfirmParams {
  return merchantInitiated ? { off_session: true } : { error_on_requires_action: true };
}

function newIntent(
  { amount, currency, stored, merchantInitiated }: CardOperation,
  paymentMethod: string,
): Stripe.PaymentIntentCreateParams {
  return {
    amount,
    currency: currency.toLowerCase(),
    capture_method: 'manual',
    // Nothing that sends the customer to another page.
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    payment_method: paymentMethod,
    ...(stored?.customer && { customer: stored.customer }),
    // The bank is asked for its consent to the later payments. They refer to this one.
    ...(stored && !merchantInitiated && { setup_future_usage: 'off_session' }),
  };
}

function metadataOf({ paymentId, card, reference }: CardOperation, installation: string): Record<string, string> {
  return { installation, paymentId, card, reference };
}

function cancelOf({ status }: Intent): VoidAnswer | null {
  if (status === 'canceled') return { kind: 'voided' };
  return status === 'succeeded' ? { kind: 'captured' } : null;
}

function keyOf(
  { paymentId, card }: OperationKey,
  step: 'method' | 'create' | 'authorize' | 'capture' | 'void',
): string {
  return `${paymentId}/${card}/${step}`;
}
