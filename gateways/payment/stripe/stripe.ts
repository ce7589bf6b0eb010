/**
 * Stripe as a card processor. A PaymentIntent is created without taking money, its id is stored, and only then is it
 * confirmed. After that every doubt is settled by reading it, and giving up means cancelling it.
 */
import type Stripe from 'stripe';
import type { BookedDispute } from '../../../domain/payments/adoption.js';
import type { AuthorizationBooks, PaymentGateway } from '../gateway.js';
import { createCards } from './cards.js';
import { changesAt } from './changes.js';
import { createIntents } from './intents.js';
import { listedAt } from './lists.js';
import {
  authorizationOf,
  captureOf,
  disputeInBooks,
  type Intent,
  listedPayment,
  readDisputes,
  readFingerprint,
  refundInBooks,
  undecided,
} from './objects.js';
import { createRefunds, type Refunds } from './refunds.js';
import { ask, unexpected } from './refusals.js';
import { createTransport, gateway, type TransportOptions } from './transport.js';

/** The version whose objects and codes this gateway reads, whatever the account's default is. */
const apiVersion = '2026-10-28.endive';

export interface StripeOptions extends TransportOptions {
  readonly secretKey: string;
  /** Names this installation in the metadata of what it makes: others may share the account. */
  readonly installation: string;
}

/** Loads the stripe package, which takes a third of a second. */
export async function createStripePayments(options: StripeOptions): Promise<PaymentGateway> {
  const { default: StripeClient } = await import('stripe');
  const transport = createTransport(options);
  const stripe = new StripeClient(options.secretKey, {
    apiVersion,
    httpClient: transport.httpClient,
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const { installation } = options;
  const intents = createIntents(stripe, transport, installation);
  const cards = createCards(stripe, transport, installation);
  const refunds = createRefunds(stripe, transport, installation);
  const { within } = transport;

  const own = async (id: string): Promise<Intent> => {
    const intent = await intents.retrieve(id);
    if (intent === null) throw new Error(`${gateway}: this account does not know ${id}`);
    return intent;
  };

  return {
    name: 'stripe',
    storesIds: true,
    authorize: (operation, ids, callOptions) =>
      within(callOptions, async () => {
        if (ids.known !== null) return await intents.confirm(operation, ids.known);
        const created = await intents.create(operation);
        if (typeof created !== 'string') return created;
        await ids.remember(created);
        return await intents.confirm(operation, created);
      }),
    // Without a stored id nothing was confirmed.
    findAuthorization: async (_operation, known, callOptions) =>
      known === null ? null : await within(callOptions, async () => authorizationOf(await own(known))),
    capture: (operation, id, callOptions) => within(callOptions, () => intents.capture(operation, id)),
    findCapture: (_operation, id, callOptions) => within(callOptions, async () => captureOf(await own(id))),
    void: (operation, id, callOptions) => within(callOptions, () => intents.cancel(operation, id)),
    cancel: async (operation, known, callOptions) =>
      known === null ? { kind: 'voided' } : await within(callOptions, () => intents.cancel(operation, known)),
    undoCapture: (operation, id, amount, callOptions) => within(callOptions, () => refunds.undo(operation, id, amount)),
    refund: (call, callOptions) => within(callOptions, () => refunds.create(call)),
    findRefund: (call, callOptions) => within(callOptions, () => refunds.find(call)),
    storeCard: (call, ids, callOptions) => within(callOptions, () => cards.store(call, ids)),
    read: (id, callOptions) =>
      within(callOptions, () => readBooks(stripe, refunds, installation, () => intents.retrieve(id))),
    fingerprint: (token, callOptions) => within(callOptions, () => fingerprintOf(stripe, token)),
    changes: (request, callOptions) => within(callOptions, () => changesAt(stripe, installation, request)),
    list: (request, callOptions) => within(callOptions, () => listedAt(stripe, installation, request)),
    close: () => transport.close(),
  };
}

async function readBooks(
  stripe: Stripe,
  refunds: Refunds,
  installation: string,
  retrieve: () => Promise<Intent | null>,
): Promise<AuthorizationBooks | null> {
  const intent = await retrieve();
  if (intent?.status === 'processing') throw undecided(intent);
  const payment = intent && listedPayment(intent, installation);
  if (payment === null) return null;
  const { authorizationId, captured, status } = payment;
  // Stripe also lists a refund where it releases money that was never captured.
  const made = captured === 0 ? [] : (await refunds.of(authorizationId)).map(refundInBooks);
  const disputes = captured === 0 ? [] : await disputesOf(stripe, authorizationId);
  return {
    ...payment,
    refunded: made.reduce((sum, { status, amount }) => (status === 'failed' ? sum : sum + amount), 0),
    voided: status === 'voided',
    // What a lost dispute has left can be refunded.
    refundable: disputes.every(({ refundable, status }) => refundable || status === 'lost'),
    refunds: made,
    disputes,
  };
}

/** Null for a card that Stripe does not know, which it will not charge either. */
async function fingerprintOf(stripe: Stripe, token: string): Promise<string | null> {
  const what = 'the look-up of a card';
  const answer = await ask<unknown>(what, () =>
    token.startsWith('pm_') ? stripe.paymentMethods.retrieve(token) : stripe.tokens.retrieve(token),
  );
  if (answer.kind === 'answered') return readFingerprint(answer.value);
  if (answer.code === 'resource_missing') return null;
  throw unexpected(what, answer);
}

async function disputesOf(stripe: Stripe, paymentIntentId: string): Promise<BookedDispute[]> {
  const params = { payment_intent: paymentIntentId, limit: 20 };
  const answer = await ask('the look-up of disputes', () => stripe.disputes.list(params));
  if (answer.kind === 'refused') throw unexpected('the look-up of disputes', answer);
  return readDisputes(answer.value).data.map(disputeInBooks);
}
