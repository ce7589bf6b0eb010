/** Reconciliations whose worker is killed at each place: another worker continues, and everything is found and repaired once. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import {
  atProcessor,
  looksNever,
  newReference,
  paid,
  reconciled,
  reviewsOf,
  saidOf,
} from '../stack/reconciliation/books.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  ...looksNever,
  HOLDFAST_CRASH_POINTS: crashFolder,
  RETRY_BASE_SCALE: '0.001',
});

const places = ['before', 'during', ...Array.from({ length: 13 }, (_, index) => `during${index + 2}`), 'after'];

test.each(places)('a reconciliation survives kill -9 of the worker at %s', async (place) => {
  const { shop, stack } = own;
  const card = { token: 'tok_visa', amount: 3000, currency: 'USD' };
  const refunded = await paid(shop);
  await atProcessor(stack, `/payments/${refunded.providerReference}/refunds`, { amount: 700 });
  const open = await paid(shop);
  await atProcessor(stack, '/payments/authorize', { ...card, reference: open.id }, `${open.id}/backup/authorize`);
  const stranger = await atProcessor(stack, '/payments/authorizations', { ...card, reference: newReference() });

  const crashed = crashAt(crashFolder, `reconcilePayments.${place}`);
  const found = await reconciled(shop);
  await crashed();
  expect(saidOf(found, refunded.id)).toMatchObject([{ kind: 'refund_missing_here', action: 'repaired' }]);
  expect(saidOf(found, open.id)).toMatchObject([{ kind: 'authorization_open', action: 'repaired' }]);
  expect(saidOf(found, stranger.authorizationId)).toMatchObject([{ kind: 'missing_here', action: 'review' }]);
  expect(await reviewsOf(shop, `processor/sandbox/${stranger.authorizationId}`)).toHaveLength(1);
  expect((await shop.get(`/api/payments/${refunded.id}`)).body).toMatchObject({ refunded: 700, refundPending: 0 });
  const { body } = await shop.must(200, shop.get(`/api/refunds?paymentId=${refunded.id}`));
  expect(body.items).toHaveLength(1);
  const voids = (await shop.books(open.id)).flatMap(({ calls }) => calls.filter(({ kind }) => kind === 'void'));
  expect(new Set(voids.map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set([`${open.id}/backup/void`]));
});
