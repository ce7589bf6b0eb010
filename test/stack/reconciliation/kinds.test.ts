/** Each kind of discrepancy, planted at the processor, is found by a reconciliation over the API. */
import { expect, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { eventually } from '../../shop.js';
import { atProcessor, declined, looksNever, newReference, paid, reconciled, reviewsOf, saidOf } from './books.js';

const own = ownStack(looksNever);
const card = { token: 'tok_visa', amount: 3000, currency: 'USD' };

test('equal books have no discrepancy', async () => {
  const { shop } = own;
  const captured = await paid(shop);
  const refused = await declined(shop);
  const { body: refund } = await shop.must(
    201,
    shop.post(`/api/payments/${captured.id}/refunds`, { amount: 1000, reason: 'test' }, { prefer: 'wait=30' }),
  );
  expect(refund.status).toBe('succeeded');
  const found = await reconciled(shop);
  expect(found.compared).toBeGreaterThanOrEqual(1);
  expect([...saidOf(found, captured.id), ...saidOf(found, refused)]).toEqual([]);
});

test('missing_here: an authorization that nobody here asked for is left to a person, once', async () => {
  const { shop, stack } = own;
  const { authorizationId } = await atProcessor(stack, '/payments/authorizations', {
    ...card,
    reference: newReference(),
  });
  const said = [{ kind: 'missing_here', paymentId: null, ours: null, action: 'review' }];
  for (let night = 0; night < 2; night++) {
    const [discrepancy, ...others] = saidOf(await reconciled(shop), authorizationId);
    expect([discrepancy, ...others]).toMatchObject(said);
    expect(discrepancy.theirs).toMatchObject({ status: 'authorized', amount: 3000 });
  }
  expect(await reviewsOf(shop, `processor/sandbox/${authorizationId}`)).toMatchObject([
    { status: 'open', detail: { kind: 'missing_here', providerReference: authorizationId } },
  ]);
});

test('missing_there: a payment that the processor has lost', async () => {
  const { shop } = own;
  const { id, providerReference } = await paid(shop, 'tok_forgotten_0');
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'missing_there', providerReference, theirs: null, action: 'review' },
  ]);
});

test.each([
  ['amount', 'tok_settled_short_100', { captured: 2900 }],
  ['currency', 'tok_converted_EUR', { currency: 'EUR' }],
  ['status', 'tok_unsettled_3600000', { status: 'authorized' }],
  ['authorization_expired', 'tok_unsettled_0', { status: 'voided' }],
])('%s: the processor books something else than it has answered', async (kind, token, theirs) => {
  const { shop } = own;
  const { id } = await paid(shop, token);
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind, ours: { status: 'captured', amount: 3000, currency: 'USD' }, theirs, action: 'review' },
  ]);
  expect(await reviewsOf(shop, `payment/${id}`)).toMatchObject([{ status: 'open', detail: { kind } }]);
});

test('status: money was taken for a payment that was declined', async () => {
  const { shop, stack } = own;
  const id = await declined(shop);
  const { authorizationId } = await atProcessor(
    ...([stack, '/payments/authorize', { ...card, reference: id }, `${id}/backup/authorize`] as const),
  );
  await atProcessor(stack, `/payments/${authorizationId}/capture`, { amount: 3000 }, `${id}/backup/capture`);
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'status', ours: { status: 'declined' }, theirs: { status: 'captured' }, action: 'review' },
  ]);
});

test('authorization_open: what a decided payment has left open is voided under the key of its undo', async () => {
  const { shop, stack } = own;
  const { id } = await paid(shop);
  const key = `${id}/backup/authorize`;
  const { authorizationId } = await atProcessor(stack, '/payments/authorize', { ...card, reference: id }, key);
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'authorization_open', providerReference: authorizationId, action: 'repaired' },
  ]);
  const books = await shop.books(id);
  expect(books.find((each) => each.authorizationId === authorizationId)).toMatchObject({
    status: 'voided',
    calls: [{ kind: 'authorize' }, { kind: 'void', idempotencyKey: `${id}/backup/void` }],
  });
  expect(saidOf(await reconciled(shop), id)).toEqual([]);
});

test('captured_twice: both cards of a payment were captured', async () => {
  const { shop, stack } = own;
  const { id } = await paid(shop);
  const { authorizationId } = await atProcessor(
    ...([stack, '/payments/authorize', { ...card, reference: id }, `${id}/backup/authorize`] as const),
  );
  await atProcessor(stack, `/payments/${authorizationId}/capture`, { amount: 3000 }, `${id}/backup/capture`);
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'captured_twice', providerReference: authorizationId, action: 'review' },
  ]);
});

test('refund_missing_here: a refund that was made in the processor’s pages is adopted', async () => {
  const { shop, stack } = own;
  const { id, providerReference } = await paid(shop);
  const { refundId } = await atProcessor(stack, `/payments/${providerReference}/refunds`, { amount: 700 });
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    {
      kind: 'refund_missing_here',
      providerReference: refundId,
      ours: null,
      theirs: { amount: 700 },
      action: 'repaired',
    },
  ]);
  expect((await shop.get(`/api/payments/${id}`)).body).toMatchObject({ status: 'partially_refunded', refunded: 700 });
  expect(saidOf(await reconciled(shop), id)).toEqual([]);
});

const refunded = async (paymentId: string) =>
  (await own.shop.post(`/api/payments/${paymentId}/refunds`, { reason: 'test' }, { prefer: 'wait=5' })).body;

test('refund_missing_there: the processor has lost a refund of ours', async () => {
  const { shop } = own;
  const { id } = await paid(shop, 'tok_refund_forgotten_0');
  const refund = await refunded(id);
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'refund_missing_there', ours: { refundId: refund.id, amount: 3000 }, theirs: null, action: 'review' },
  ]);
});

test('refund_failed_late: a refund that failed after it succeeded is adopted', async () => {
  const { shop } = own;
  const { id } = await paid(shop, 'tok_refund_fails_late_500');
  const refund = await refunded(id);
  const [said] = await eventually('the refund to fail', async () => {
    const found = saidOf(await reconciled(shop), id);
    return found.length > 0 && found;
  });
  expect(said).toMatchObject({ kind: 'refund_failed_late', ours: { refundId: refund.id }, action: 'repaired' });
  expect((await shop.get(`/api/payments/${id}`)).body).toMatchObject({ status: 'captured', refunded: 0 });
});

test('refund_pending_long: a refund that nobody decides', async () => {
  const { shop } = own;
  const { id } = await paid(shop, 'tok_refund_pending_3600000');
  const refund = await refunded(id);
  expect(refund.status).toBe('pending');
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'refund_pending_long', ours: { refundId: refund.id }, theirs: { status: 'pending' }, action: 'review' },
  ]);
});

test('dispute_unknown and dispute_amount: disputes are adopted as the processor shows them', async () => {
  const { shop, stack } = own;
  const { id, providerReference } = await paid(shop);
  const reason = { reason: 'fraudulent', amount: 1000 };
  const { disputeId } = await atProcessor(stack, `/payments/${providerReference}/disputes`, reason);
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'dispute_unknown', providerReference: disputeId, theirs: { amount: 1000 }, action: 'repaired' },
  ]);
  await atProcessor(stack, `/disputes/${disputeId}/amount`, { amount: 1200 });
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'dispute_amount', ours: { amount: 1000 }, theirs: { amount: 1200 }, action: 'repaired' },
  ]);
  await atProcessor(stack, `/disputes/${disputeId}/close`, { outcome: 'won' });
  expect(saidOf(await reconciled(shop), id)).toMatchObject([
    { kind: 'status', ours: { status: 'open' }, theirs: { status: 'won' }, action: 'repaired' },
  ]);
  expect((await shop.get(`/api/payments/${id}`)).body.disputes).toMatchObject([{ amount: 1200, status: 'won' }]);
});

test('duplicate_reference: a second payment under the reference of ours', async () => {
  const { shop, stack } = own;
  const { id } = await paid(shop);
  const { authorizationId } = await atProcessor(stack, '/payments/authorizations', { ...card, reference: id });
  expect(saidOf(await reconciled(shop), authorizationId)).toMatchObject([
    { kind: 'duplicate_reference', theirs: { reference: id }, action: 'review' },
  ]);
});

test('unknown_key: money of another installation is told, and is nobody’s work', async () => {
  const { shop, stack } = own;
  const reference = newReference();
  const key = `another-shop/${reference}`;
  const { authorizationId } = await atProcessor(stack, '/payments/authorize', { ...card, reference }, key);
  expect(saidOf(await reconciled(shop), authorizationId)).toMatchObject([{ kind: 'unknown_key', action: 'none' }]);
  expect(await reviewsOf(shop, `processor/sandbox/${authorizationId}`)).toEqual([]);
});
