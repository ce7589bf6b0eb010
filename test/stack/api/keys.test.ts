import { randomUUID } from 'node:crypto';
import { afterAll, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, Shop } from '../../shop.js';
import { database } from './database.js';
import { post, raw } from './raw.js';

const shop = sharedShop();
const sql = database();
afterAll(() => sql.end());

test('a key is shown once and stored nowhere', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const asked = { name: 'reader', scopes: ['inventory:read'] };
  const made = await shop.must(201, shop.post('/api/keys', asked, headers));
  const { key, id } = made.body;
  expect(key).toMatch(/^hf_[a-z0-9]+_[0-9a-f]{48}_[0-9a-f]{8}$/);
  expect((await raw('/api/products', { key })).status).toBe(200);

  const again = await shop.must(201, shop.post('/api/keys', asked, headers));
  expect([again.headers.get('idempotency-replayed'), again.body.id, again.body.key]).toEqual(['true', id, null]);
  const listed = await shop.must(200, shop.get('/api/keys'));
  expect(listed.body.items.find((item: { id: string }) => item.id === id)).toMatchObject({ name: 'reader' });
  expect(JSON.stringify(listed.body)).not.toContain(key);

  const [kept] = await sql<{ text: string }[]>`
    select coalesce(string_agg(k::text, '|'), '') || coalesce((select string_agg(i::text, '|') from idempotency_keys i), '') as text
      from api_keys k`;
  expect(kept?.text).toContain(id);
  expect(kept?.text).not.toContain(key.split('_')[2]);
});

test('a key records who created it and who revoked it', async () => {
  const maker = await shop.must(201, shop.post('/api/keys', { name: 'maker', scopes: ['admin'] }));
  const byMaker = new Shop({ apiUrl: inject('apiUrls')[0] ?? '', apiKey: maker.body.key, sandboxUrl: '' });
  const { body: made } = await byMaker.must(201, byMaker.post('/api/keys', { name: 'x', scopes: ['orders:read'] }));
  expect([made.createdBy, made.revokedBy]).toEqual([`api_key:${maker.body.id}`, null]);
  const revoked = await shop.must(200, shop.call('DELETE', `/api/keys/${made.id}`));
  expect(revoked.body.revokedBy).toBe(maker.body.createdBy);
  // Revoking again changes nothing.
  await byMaker.must(200, byMaker.call('DELETE', `/api/keys/${made.id}`));
  const [kept] = await sql`select created_by, revoked_by from api_keys where id = ${made.id}`;
  expect(kept).toEqual({ created_by: `api_key:${maker.body.id}`, revoked_by: maker.body.createdBy });
  const listed = await shop.must(200, shop.get('/api/keys?limit=200'));
  expect(listed.body.items.find((item: { id: string }) => item.id === made.id)).toEqual(revoked.body);
  const [own] = await sql`select created_by from api_keys where name not in ('maker', 'x') order by created_at limit 1`;
  expect(own).toEqual({ created_by: 'operator' });
});

test('only an admin key can create keys, including keys with scopes that it lacks itself', async () => {
  const { body: admin } = await shop.must(201, shop.post('/api/keys', { name: 'admin', scopes: ['admin'] }));
  const scopes = ['payments:write', 'orders:read'];
  const { body: made } = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes }));
  const asked = { name: 'x', scopes: ['orders:read'] };
  expect((await post('/api/keys', asked, { key: made.key })).body.code).toBe('forbidden');
  expect((await post('/api/keys', { name: 'x', scopes }, { key: admin.key })).body.scopes).toEqual(scopes);
});

test('a revoked key is refused at once by the process that revoked it, and by all others within 6 s', async () => {
  const { body } = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: ['inventory:read'] }));
  const [first, second] = inject('apiUrls').map((apiUrl) => new Shop({ apiUrl, apiKey: body.key, sandboxUrl: '' }));
  for (const process of [first, second]) expect((await process?.get('/api/products'))?.status).toBe(200);
  const revoked = await shop.must(200, shop.call('DELETE', `/api/keys/${body.id}`));
  expect(revoked.body.revokedAt).toMatch(/Z$/);
  expect((await first?.get('/api/products'))?.status).toBe(401);
  await eventually(
    'the other process to refuse it',
    async () => (await second?.get('/api/products'))?.status === 401,
    6000,
  );
  const again = await shop.must(200, shop.call('DELETE', `/api/keys/${body.id}`));
  expect(again.body.revokedAt).toBe(revoked.body.revokedAt);
});

test('a key has at least one scope, each known and listed once', async () => {
  for (const scopes of [[], ['orders:eat'], ['admin', 'admin'], 'admin'])
    expect((await shop.post('/api/keys', { name: 'x', scopes })).body.code).toBe('validation_failed');
});

test('a key that does not exist cannot be revoked', async () => {
  expect((await shop.call('DELETE', '/api/keys/key_none')).status).toBe(404);
});
