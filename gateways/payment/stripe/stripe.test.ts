/** What each answer of Stripe means, against a server that counts the requests. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import { GatewayFault } from '../../http/fault.js';
import type { ChangesPage } from '../gateway.js';
import { intent, list, refund, scriptedStripe, secret, stripeError } from './server.fixture.js';

const operation: CardOperation = {
  paymentId: 'pay_1',
  card: 'primary',
  token: 'tok_visa',
  amount: 1999,
  currency: 'USD',
  reference: 'ord_1',
  customerId: null,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const refundCall = {
  refundId: 'rfd_1',
  attempt: 2,
  paymentId: 'pay_1',
  authorizationId: 'pi_1',
  amount: 500,
  currency: 'USD',
};

let stripe: Awaited<ReturnType<typeof scriptedStripe>>;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());

const lines = () => stripe.sent.map(({ line }) => line);
const keys = () => stripe.sent.map(({ key }) => key);

/** Stored ids, in the order in which they were remembered. */
function ids(known: string | null = null) {
  const remembered: string[] = [];
  return {
    known,
    remembered,
    remember: async (id: string) => {
      // Nothing may be confirmed before.
      remembered.push(`${id} after ${stripe.sent.length}`);
    },
  };
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error: unknown = await call.then(
    (value) => value,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(`no error, but ${JSON.stringify(error)}`);
  const everything = JSON.stringify([error.message, error.stack, error, error.cause]);
  for (const hidden of [secret, '4242', 'sk_test_hidden']) expect(everything).not.toContain(hidden);
  return error;
}

describe('authorizing', () => {
  test('a payment is created without taking money, its id is stored, and then it is confirmed', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    const stored = ids();
    expect(await stripe.payments.authorize(operation, stored)).toEqual({ kind: 'authorized', authorizationId: 'pi_1' });
    expect(stored.remembered).toEqual(['pi_1 after 1']);
    expect(lines()).toEqual(['POST /stripe/v1/payment_intents', 'POST /stripe/v1/payment_intents/pi_1/confirm']);
    expect(keys()).toEqual(['pay_1/primary/create', 'pay_1/primary/authorize']);
    const [created, confirmed] = stripe.sent;
    expect(created?.params).toEqual({
      amount: '1999',
      currency: 'usd',
      capture_method: 'manual',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'payment_method_data[type]': 'card',
      'payment_method_data[card][token]': 'tok_visa',
      'metadata[installation]': 'here',
      'metadata[paymentId]': 'pay_1',
      'metadata[card]': 'primary',
      'metadata[reference]': 'ord_1',
    });
    expect(confirmed?.params).toEqual({ error_on_requires_action: 'true' });
    expect(created?.headers).toMatchObject({
      'stripe-version': '2026-10-28.endive',
      authorization: 'Bearer sk_test_hidden',
    });
    expect(created?.headers).not.toHaveProperty('x-stripe-client-telemetry');
  });

  test('a payment method goes by its id, and the trace is passed on', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    await stripe.payments.authorize({ ...operation, token: 'pm_card_visa' }, ids(), {
      traceparent: operation.traceparent,
    });
    expect(stripe.sent[0]?.params).toMatchObject({ payment_method: 'pm_card_visa' });
    expect(stripe.sent[1]?.headers.traceparent).toBe(operation.traceparent);
  });

  test('a payment whose id is stored is not created again', async () => {
    stripe.answer({ body: intent('requires_capture') });
    expect(await stripe.payments.authorize(operation, ids('pi_1'))).toMatchObject({ kind: 'authorized' });
    expect(lines()).toEqual(['POST /stripe/v1/payment_intents/pi_1/confirm']);
  });

  test('where the card was given up before its id could be stored, nothing is confirmed', async () => {
    stripe.answer({ body: intent('requires_confirmation') }, { body: intent('requires_capture') });
    const given = { known: null, remember: () => Promise.reject(new Error('given up')) };
    await expect(stripe.payments.authorize(operation, given)).rejects.toThrow('given up');
    expect(stripe.sent).toHaveLength(1);
  });

  test.each([
    [{ code: 'card_declined', decline_code: 'insufficient_funds' }, 'insufficient_funds', 'insufficient_funds'],
    [{ code: 'card_declined', decline_code: 'generic_decline' }, 'payment_declined', 'generic_decline'],
    [{ code: 'expired_card', decline_code: 'expired_card' }, 'payment_declined', 'expired_card'],
    [{ code: 'incorrect_cvc' }, 'payment_declined', 'incorrect_cvc'],
    [{ code: 'card_declined', decline_code: 'stolen_card' }, 'payment_declined', 'generic_decline'],
    [{ code: 'card_declined', decline_code: 'fraudulent' }, 'payment_declined', 'generic_decline'],
    [
      { code: 'authentication_required', decline_code: 'authentication_not_handled' },
      'payment_declined',
      'authentication_required',
    ],
    [{ code: 'card_declined', decline_code: 'authentication_required' }, 'payment_declined', 'authentication_required'],
    [{ code: 'requires_action_not_handled' }, 'payment_declined', 'authentication_required'],
  ])('a card error %o is %s with %s', async (error, code, declineCode) => {
    stripe.answer(stripeError(402, { type: 'card_error', ...error }));
    expect(await stripe.payments.authorize(operation, ids('pi_1'))).toEqual({ kind: 'declined', code, declineCode });
    expect(stripe.sent).toHaveLength(1);
  });

  test.each([
    [400, 'amount_too_small'],
    [400, 'token_already_used'],
    [404, 'resource_missing'],
  ])('a refused creation (%i %s) is final: nothing is stored and nothing is confirmed', async (status, code) => {
    stripe.answer(stripeError(status, { code, param: 'payment_method' }));
    const stored = ids();
    expect(await stripe.payments.authorize(operation, stored)).toEqual({
      kind: 'declined',
      code: 'payment_declined',
      declineCode: code,
    });
    expect(stored.remembered).toEqual([]);
    expect(stripe.sent).toHaveLength(1);
  });

  test('a confirmation that comes too late gets the answer of the first', async () => {
    stripe.answer(stripeError(400, { code: 'payment_intent_unexpected_state' }), { body: intent('requires_capture') });
    expect(await stripe.payments.authorize(operation, ids('pi_1'))).toMatchObject({ kind: 'authorized' });
    expect(lines()).toEqual(['POST /stripe/v1/payment_intents/pi_1/confirm', 'GET /stripe/v1/payment_intents/pi_1']);
  });

  test('a stored error is not asked for again: the next key follows', async () => {
    stripe.answer(stripeError(500, { type: 'api_error' }, true), { body: intent('requires_capture') });
    expect(await stripe.payments.authorize(operation, ids('pi_1'))).toMatchObject({ kind: 'authorized' });
    expect(keys()).toEqual(['pay_1/primary/authorize', 'pay_1/primary/authorize/2']);
  });
});

describe('a doubt', () => {
  test.each([
    ['is not repeated after a connection that was lost', 'reset', 'no_answer'],
    ['ends at the deadline', 'silence', 'no_answer'],
    ['ends at the deadline, however often a byte arrives', 'drip', 'no_answer'],
    ['may hide behind the page of a proxy', { status: 404, body: '<html>' }, 'malformed'],
    ['may hide behind the JSON of a proxy', { status: 404, body: { message: 'no route' } }, 'malformed'],
    ['may hide behind a page with status 200', { body: '<html>' }, 'malformed'],
    ['may hide behind an object without a state', { body: { id: 'pi_1' } }, 'malformed'],
    ['is left by an error of the server', stripeError(500, { type: 'api_error' }), 'server_error'],
    ['is left by too many requests', stripeError(429, { code: 'rate_limit' }), 'server_error'],
    ['is left by a locked object', stripeError(429, { code: 'lock_timeout' }), 'server_error'],
    ['is left by a lock that is a 400', stripeError(400, { code: 'lock_timeout' }), 'server_error'],
    ['is left by the same call still running', stripeError(409, { code: 'idempotency_key_in_use' }), 'server_error'],
    ['is left by a payment that is still processing', { body: intent('processing') }, 'server_error'],
  ] as const)('%s', async (_name, script, fault) => {
    stripe.answer(script, { body: intent('requires_capture') });
    const began = performance.now();
    const error = await failureOf(stripe.payments.authorize(operation, ids('pi_1'), { timeoutMs: 500 }));
    expect(error).toBeInstanceOf(GatewayFault);
    expect(error).toMatchObject({ gateway: 'stripe', fault });
    expect(stripe.sent).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(1500);
  });

  test('does not exist where no connection could be made', async () => {
    const closed = await scriptedStripe();
    await closed.close();
    const { createStripePayments } = await import('./stripe.js');
    const payments = await createStripePayments({
      apiBase: 'http://127.0.0.1:1',
      timeoutMs: 500,
      secretKey: 'sk_test_hidden',
      installation: 'here',
    });
    expect(await failureOf(payments.authorize(operation, ids('pi_1')))).toMatchObject({ fault: 'unreachable' });
    await payments.close();
  });

  test.each([
    ['requires_capture', {}, { kind: 'authorized', authorizationId: 'pi_1' }],
    ['succeeded', {}, { kind: 'authorized', authorizationId: 'pi_1' }],
    ['requires_confirmation', {}, null],
    ['requires_action', {}, { kind: 'declined', code: 'payment_declined', declineCode: 'authentication_required' }],
    ['canceled', {}, { kind: 'declined', code: 'payment_declined', declineCode: 'authorization_voided' }],
    [
      'requires_payment_method',
      { last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds', message: secret } },
      { kind: 'declined', code: 'insufficient_funds', declineCode: 'insufficient_funds' },
    ],
  ])('about an authorization is settled by reading: %s', async (status, more, answer) => {
    stripe.answer({ body: intent(status, more) });
    expect(await stripe.payments.findAuthorization(operation, 'pi_1')).toEqual(answer);
    expect(lines()).toEqual(['GET /stripe/v1/payment_intents/pi_1']);
  });

  test('does not exist without a stored id: nothing was confirmed', async () => {
    stripe.answer();
    expect(await stripe.payments.findAuthorization(operation, null)).toBeNull();
    expect(await stripe.payments.cancel?.(operation, null)).toEqual({ kind: 'voided' });
    expect(stripe.sent).toEqual([]);
  });

  test.each([
    [401, { type: 'invalid_request_error' }],
    [403, { type: 'invalid_request_error' }],
    [400, { type: 'idempotency_error' }],
    [404, { code: 'resource_missing', param: 'intent' }],
  ])('is no decline where the setting is wrong: %i %o', async (status, error) => {
    stripe.answer(stripeError(status, error));
    const failure = await failureOf(stripe.payments.authorize(operation, ids('pi_1')));
    expect(failure).not.toBeInstanceOf(GatewayFault);
    expect(stripe.sent).toHaveLength(1);
  });
});

describe('capturing and giving up', () => {
  const state = stripeError(400, { code: 'payment_intent_unexpected_state' });

  test('the whole amount is captured, once', async () => {
    stripe.answer({ body: intent('succeeded') });
    expect(await stripe.payments.capture(operation, 'pi_1')).toEqual({ kind: 'captured' });
    expect(stripe.sent).toMatchObject([{ key: 'pay_1/primary/capture', params: { amount_to_capture: '1999' } }]);
  });

  test.each([
    ['was captured before', [state, { body: intent('succeeded') }], { kind: 'captured' }],
    [
      'was voided',
      [state, { body: intent('canceled') }],
      { kind: 'declined', code: 'payment_declined', declineCode: 'authorization_voided' },
    ],
    [
      'was given back by Stripe in time',
      [state, { body: intent('canceled', { cancellation_reason: 'automatic' }) }],
      { kind: 'declined', code: 'payment_declined', declineCode: 'charge_expired_for_capture' },
    ],
    [
      'has expired',
      [stripeError(400, { code: 'charge_expired_for_capture' })],
      { kind: 'declined', code: 'payment_declined', declineCode: 'charge_expired_for_capture' },
    ],
    [
      'has a stored refusal that no longer fits',
      [{ ...state, replayed: true }, { body: intent('requires_capture') }, { body: intent('succeeded') }],
      { kind: 'captured' },
    ],
  ])('an authorization that %s', async (_name, scripts, answer) => {
    stripe.answer(...scripts);
    expect(await stripe.payments.capture(operation, 'pi_1')).toEqual(answer);
    expect(stripe.sent).toHaveLength(scripts.length);
  });

  test('a void is a cancellation; one that comes too late says so', async () => {
    stripe.answer({ body: intent('canceled') });
    expect(await stripe.payments.void(operation, 'pi_1')).toEqual({ kind: 'voided' });
    expect(stripe.sent).toMatchObject([
      { line: 'POST /stripe/v1/payment_intents/pi_1/cancel', key: 'pay_1/primary/void' },
    ]);
    stripe.answer(state, { body: intent('succeeded') });
    expect(await stripe.payments.cancel?.(operation, 'pi_1')).toEqual({ kind: 'captured' });
    stripe.answer(state, { body: intent('canceled') });
    expect(await stripe.payments.void(operation, 'pi_1')).toEqual({ kind: 'voided' });
  });
});

describe('refunds', () => {
  test('a refund has its own key, and its id in the metadata', async () => {
    stripe.answer({ body: refund('succeeded') });
    expect(await stripe.payments.refund(refundCall)).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    expect(stripe.sent).toMatchObject([
      {
        line: 'POST /stripe/v1/refunds',
        key: 'rfd_1/2',
        params: {
          payment_intent: 'pi_1',
          amount: '500',
          'metadata[installation]': 'here',
          'metadata[paymentId]': 'pay_1',
          'metadata[refundId]': 'rfd_1',
          'metadata[attempt]': '2',
        },
      },
    ]);
  });

  test.each([
    [{ body: refund('pending') }, { kind: 'pending', providerReference: 're_1' }],
    [{ body: refund('requires_action') }, { kind: 'pending', providerReference: 're_1' }],
    [
      { body: refund('failed', { failure_reason: 'expired_or_canceled_card' }) },
      { kind: 'failed', providerReference: 're_1', code: 'expired_or_canceled_card', detail: 'the refund is failed' },
    ],
    [stripeError(400, { code: 'charge_already_refunded' }), { kind: 'over_refund' }],
    [stripeError(400, { param: 'amount' }), { kind: 'over_refund' }],
    [stripeError(400, { code: 'charge_disputed' }), { kind: 'disputed' }],
    [stripeError(400, { code: 'refund_disputed_payment' }), { kind: 'disputed' }],
    [
      stripeError(400, { code: 'insufficient_funds' }),
      {
        kind: 'failed',
        providerReference: null,
        code: 'insufficient_funds',
        detail: 'Stripe refused the refund: insufficient_funds',
      },
    ],
  ])('the answer %o is %o', async (script, answer) => {
    stripe.answer(script);
    expect(await stripe.payments.refund(refundCall)).toEqual(answer);
    expect(stripe.sent).toHaveLength(1);
  });

  test('a refund in doubt is found by its id and attempt', async () => {
    const ours = refund('succeeded', { id: 're_2', metadata: { refundId: 'rfd_1', attempt: '2' } });
    const before = refund('failed', { metadata: { refundId: 'rfd_1', attempt: '1' } });
    stripe.answer(list(ours, before));
    expect(await stripe.payments.findRefund(refundCall)).toEqual({ kind: 'succeeded', providerReference: 're_2' });
    stripe.answer(list(before));
    expect(await stripe.payments.findRefund(refundCall)).toBeNull();
  });

  test('after a stored error the refund is looked up before another key is used', async () => {
    const stored = stripeError(500, { type: 'api_error' }, true);
    const ours = refund('succeeded', { metadata: { refundId: 'rfd_1', attempt: '2' } });
    stripe.answer(stored, list(ours));
    expect(await stripe.payments.refund(refundCall)).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    expect(lines()).toEqual(['POST /stripe/v1/refunds', 'GET /stripe/v1/refunds']);
    stripe.answer(stored, list(), { body: refund('succeeded') });
    await stripe.payments.refund(refundCall);
    expect(keys()).toEqual(['rfd_1/2', undefined, 'rfd_1/2/2']);
  });

  test('the undo of a charge is no refund of ours, and a failed one is made again', async () => {
    stripe.answer({ body: refund('failed'), replayed: true }, { body: refund('succeeded') });
    expect(await stripe.payments.undoCapture(operation, 'pi_1', 1999)).toEqual({ kind: 'returned' });
    expect(keys()).toEqual(['pay_1/primary/refund', 'pay_1/primary/refund/2']);
    expect(stripe.sent[0]?.params).not.toHaveProperty('metadata[refundId]');
  });
});

describe('the books', () => {
  const dispute = (status: string, refundable: boolean) => ({
    id: `dp_${status}`,
    object: 'dispute',
    amount: 700,
    currency: 'usd',
    created: 1_764_000_000,
    reason: 'fraudulent',
    status,
    is_charge_refundable: refundable,
  });

  test('hold refunds and disputes; what failed is not refunded', async () => {
    const ours = refund('succeeded', { metadata: { refundId: 'rfd_1', attempt: '1' } });
    const failed = refund('failed', { id: 're_2', failure_reason: 'expired_or_canceled_card' });
    const pending = refund('pending', { id: 're_3', amount: 100 });
    stripe.answer({ body: intent('succeeded') }, list(pending, failed, ours), list(dispute('needs_response', false)));
    expect(await stripe.payments.read('pi_1')).toMatchObject({
      authorizationId: 'pi_1',
      status: 'captured',
      amount: 1999,
      captured: 1999,
      refunded: 600,
      refundable: false,
      refunds: [
        { providerReference: 're_3', refundId: null, status: 'pending', failure: null },
        { providerReference: 're_2', refundId: null, status: 'failed', failure: 'expired_or_canceled_card' },
        { providerReference: 're_1', refundId: 'rfd_1', status: 'succeeded', amount: 500 },
      ],
      disputes: [{ providerReference: 'dp_needs_response', amount: 700, currency: 'USD', status: 'open' }],
    });
  });

  test.each([
    ['warning_needs_response', true, 'inquiry', true],
    ['warning_under_review', false, 'inquiry', false],
    ['warning_closed', false, 'closed', true],
    ['under_review', false, 'open', false],
    ['won', false, 'won', true],
    ['lost', false, 'lost', false],
    ['something_new', false, 'open', false],
  ])('a dispute that is %s (%s) counts as %s', async (theirs, chargeRefundable, status, refundable) => {
    stripe.answer({ body: intent('succeeded') }, list(), list(dispute(theirs, chargeRefundable)));
    expect(await stripe.payments.read('pi_1')).toMatchObject({ refundable, disputes: [{ status }] });
  });

  test('money that is released without having been captured is no refund', async () => {
    stripe.answer({ body: intent('canceled') });
    expect(await stripe.payments.read('pi_1')).toMatchObject({
      status: 'voided',
      captured: 0,
      refunded: 0,
      refunds: [],
    });
    expect(stripe.sent).toHaveLength(1);
  });

  test('of a payment that is unknown or was never confirmed there are none', async () => {
    stripe.answer(stripeError(404, { code: 'resource_missing', param: 'intent' }));
    expect(await stripe.payments.read('pi_9')).toBeNull();
    stripe.answer({ body: intent('requires_confirmation') });
    expect(await stripe.payments.read('pi_1')).toBeNull();
  });
});

describe('changes', () => {
  const event = (id: string, created: number, object: unknown, type = 'refund.updated') => ({
    id,
    created,
    type,
    data: { object },
  });

  test('come page by page, once each, without those of other installations; the next look begins at the end of the last page only', async () => {
    const since = '2025-11-24T16:00:00.000Z';
    const from = Date.parse(since) / 1000;
    const page = [
      event('evt_3', from + 300, { object: 'refund', payment_intent: 'pi_1' }),
      event(
        'evt_2',
        from + 200,
        { object: 'payment_intent', id: 'pi_2', metadata: { installation: 'elsewhere' } },
        'payment_intent.succeeded',
      ),
    ];
    stripe.answer({ body: { data: page, has_more: true } });
    const first = await stripe.payments.changes({ since, cursor: null });
    const paymentsOf = ({ events }: ChangesPage) => events.map(({ paymentIntentId }) => paymentIntentId);
    expect([paymentsOf(first), first.until]).toEqual([['pi_1', null], since]);
    expect(stripe.sent[0]?.params).toMatchObject({ 'created[gte]': String(from), limit: '25' });
    stripe.answer(
      list(event('evt_1', from + 100, { object: 'dispute', payment_intent: 'pi_3' }, 'charge.dispute.created')),
    );
    const last = await stripe.payments.changes({ since, cursor: first.cursor });
    expect(stripe.sent[0]?.params).toMatchObject({ starting_after: 'evt_2' });
    expect(paymentsOf(last)).toEqual(['pi_3']);
    expect(last).toMatchObject({ cursor: null, until: '2025-11-24T16:04:00.000Z' });
  });
});
