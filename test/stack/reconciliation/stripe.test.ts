/** Reconciliation with Stripe, on the sandbox's Stripe face: lists, adoption, and what is not ours. */
import { beforeAll, expect, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { eventually } from '../../shop.js';
import { atProcessor, looksNever, newReference, paid, reconciled, saidOf } from './books.js';

const own = ownStack({ ...looksNever, PAYMENT_GATEWAY: 'stripe', STRIPE_SECRET_KEY: 'sk_test_reconciliation' });
// What a webhook reports is adopted before a reconciliation can find it.
beforeAll(async () => {
  const { ok } = await fetch(`${own.stack.sandboxUrl}/stripe-control/webhook`, { method: 'DELETE' });
  expect(ok).toBe(true);
});

test('equal books have no discrepancy, a refund and a dispute by hand are adopted', async () => {
  const { shop, stack } = own;
  const [equal, refunded, disputed] = [await paid(shop), await paid(shop), await paid(shop)];
  const { refundId } = await atProcessor(stack, `/payments/${refunded.providerReference}/refunds`, { amount: 700 });
  const reason = { reason: 'fraudulent', amount: 1000 };
  const { disputeId } = await atProcessor(stack, `/payments/${disputed.providerReference}/disputes`, reason);
  const found = await reconciled(shop);
  expect(saidOf(found, equal.id)).toEqual([]);
  expect(saidOf(found, refunded.id)).toMatchObject([
    { kind: 'refund_missing_here', gateway: 'stripe', providerReference: refundId, action: 'repaired' },
  ]);
  expect(saidOf(found, disputed.id)).toMatchObject([
    { kind: 'dispute_unknown', providerReference: disputeId, action: 'repaired' },
  ]);
  const again = await reconciled(shop);
  for (const { id } of [equal, refunded, disputed]) expect(saidOf(again, id)).toEqual([]);
});

test('a refund that fails late is adopted', async () => {
  const { shop } = own;
  const { id } = await paid(shop, 'tok_refund_fails_late_500');
  await shop.must(201, shop.post(`/api/payments/${id}/refunds`, { reason: 'test' }, { prefer: 'wait=30' }));
  const [said] = await eventually('the refund to fail', async () => {
    const found = saidOf(await reconciled(shop), id);
    return found.length > 0 && found;
  });
  expect(said).toMatchObject({ kind: 'refund_failed_late', action: 'repaired' });
});

test('money that nobody here asked for is missing here, and a second payment for ours is a duplicate', async () => {
  const { shop, stack } = own;
  const { id } = await paid(shop);
  const card = { token: 'tok_visa', amount: 3000, currency: 'USD' };
  const kinds = [
    ['missing_here', newReference()],
    ['duplicate_reference', id],
  ] as const;
  for (const [kind, reference] of kinds) {
    const { authorizationId } = await atProcessor(stack, '/payments/authorizations', { ...card, reference });
    const listed = authorizationId.replace(/^auth_/, 'pi_');
    expect(saidOf(await reconciled(shop), listed)).toMatchObject([{ kind, gateway: 'stripe', action: 'review' }]);
  }
});
