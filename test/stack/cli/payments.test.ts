import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { holdfast } from './holdfast.js';

const shop = sharedShop();
const hourAgo = () => new Date(Date.now() - 3_600_000).toISOString();

test('holdfast payments reconcile shows that books of a past window agree', async () => {
  const window = ['--from', '2020-01-01T00:00:00Z', '--to', '2020-01-02T00:00:00Z'];
  const made = await holdfast(['payments', 'reconcile', ...window]);
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toMatch(/^rcn_\w+: the books agree \(0 payments\)\n$/);
  const id = made.out.split(':')[0];
  const { body } = await shop.must(200, shop.get(`/api/payments/reconciliations/${id}`));
  expect(body).toMatchObject({ id, status: 'completed', compared: 0, discrepancyCount: 0, discrepancies: [] });
});

test('holdfast payments reconcile leaves alone what is young', async () => {
  const reference = `ref-${randomUUID()}`;
  const card = { token: 'tok_visa', amount: 100, currency: 'USD', reference };
  const headers = { 'content-type': 'application/json' };
  const url = `${inject('sandboxUrl')}/payments/authorizations`;
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(card) });
  const { authorizationId } = JSON.parse(await answer.text());
  const made = await holdfast(['payments', 'reconcile', '--from', hourAgo(), '--to', new Date().toISOString()]);
  expect(made.out).toMatch(/^rcn_\w+: /);
  expect(made.out).not.toContain(authorizationId);
});

test('a window that ends before it begins is refused', async () => {
  const made = await holdfast([
    'payments',
    'reconcile',
    '--from',
    '2026-01-02T00:00:00Z',
    '--to',
    '2026-01-01T00:00:00Z',
  ]);
  expect([made.code, made.out]).toEqual([1, '']);
  expect(made.err).toContain('must be after `from`');
});
