/** Verifications of the ledger over HTTP. test/database/ledger/verify.test.ts covers what they find. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { raw } from '../api/raw.js';

const shop = sharedShop();

const read = async (id: string) => (await shop.must(200, shop.get(`/api/ledger/verifications/${id}`))).body;
const completed = (id: string) =>
  eventually('the verification to end', async () => {
    const found = await read(id);
    return found.status === 'completed' && found;
  });

test('a verification is answered once it has compared every level', async () => {
  const { body } = await shop.must(201, shop.post('/api/ledger/verifications', {}, { prefer: 'wait=30' }));
  expect(body).toMatchObject({ status: 'completed', clean: true, differenceCount: 0, differences: [] });
  expect(body.checked).toBe(body.total);
  expect(await read(body.id)).toEqual(body);
});

test('a verification that the client does not wait for is 202, and can be read until it ends', async () => {
  const { body, headers } = await shop.must(
    202,
    shop.post('/api/ledger/verifications', {}, { prefer: 'respond-async' }),
  );
  expect(headers.get('location')).toBe(`/api/ledger/verifications/${body.id}`);
  expect((await completed(body.id)).clean).toBe(true);
  const { body: list } = await shop.must(200, shop.get('/api/ledger/verifications?limit=200'));
  expect(list.items.map(({ id }: { id: string }) => id)).toContain(body.id);
});

test('the same key returns the same verification', async () => {
  const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=30' };
  const [first, second] = [
    await shop.must(201, shop.post('/api/ledger/verifications', {}, headers)),
    await shop.must(201, shop.post('/api/ledger/verifications', {}, headers)),
  ];
  expect(second.body).toEqual(first.body);
  expect(second.headers.get('idempotency-replayed')).toBe('true');
});

test('the older endpoint verifies within the request', async () => {
  const { body } = await shop.must(200, shop.get('/api/ledger/verify'));
  expect(body).toEqual({ clean: true, differences: [] });
});

test('verifying needs the scope admin', async () => {
  const { body } = await shop.must(201, shop.post('/api/keys', { name: 'reader', scopes: ['inventory:read'] }));
  expect((await raw('/api/ledger/verifications', { key: body.key })).status).toBe(403);
  expect((await raw('/api/ledger/verify', { key: body.key })).status).toBe(403);
});

test('an unknown verification is not found', async () => {
  for (const id of ['ver_00000000000000000000000000000000', 'x'])
    expect((await shop.get(`/api/ledger/verifications/${id}`)).body.code).toBe('not_found');
});
