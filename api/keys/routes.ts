/** API keys: callers with the scope `admin` create, list and revoke them. */
import { z } from 'zod';
import { type ApiKeyRow, createApiKey, listApiKeys, newApiKey, revokeApiKey } from '../../db/access/api-keys.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, refuse } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageQuery } from '../http/schemas.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { keyExample } from '../openapi/examples/sales.js';
import { type ApiKey, apiKey, keyId, keyPage, newKey, shownKey } from './schemas.js';

export function keyRoutes({ connection: { db }, keys }: ApiDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/keys',
      tag: 'Keys',
      summary: 'Create an API key',
      description: 'Creates a key with the given scopes. The secret is shown only this once; only its hash is stored.',
      example: {
        body: { name: 'web shop', scopes: ['orders:read', 'orders:write'] },
        answer: { ...keyExample, key: 'hf_live_7GJ2kQ0vZr9XcT4nB8sLmW1yE5uD3oHa_1f9c2b' },
      },
      scope: 'admin',
      creates: 'key',
      body: newKey,
      answers: { 201: shownKey },
      handler: async ({ body, ids, key, caller }) => {
        const made = newApiKey(key.env, ids.resource);
        const row = await createApiKey(db, { id: made.id, hash: made.hash, ...body, by: caller });
        const kept = viewKey(row);
        return {
          ...answer(201, { ...kept, key: made.key }, { 'Cache-Control': 'no-store' }),
          repeatedBody: { ...kept, key: null },
        };
      },
    }),
    route({
      method: 'get',
      path: '/api/keys',
      tag: 'Keys',
      summary: 'List API keys',
      description: 'Lists the keys, including revoked ones, newest first. Secrets are not shown.',
      example: { answer: pageExample(keyExample) },
      scope: 'admin',
      query: z.strictObject(pageQuery),
      answers: { 200: keyPage },
      handler: async ({ query }) => {
        const page = pageRequest('keys', query);
        return page.kind === 'refused' ? page : answer(200, viewPage(await listApiKeys(db, page), viewKey));
      },
    }),
    route({
      method: 'delete',
      path: '/api/keys/:id',
      tag: 'Keys',
      summary: 'Revoke an API key',
      description: 'Revokes a key at once. Other API processes may accept it for up to 5 seconds more.',
      example: { answer: { ...keyExample, revokedAt: '2026-11-21T05:41:07.123456Z', revokedBy: 'operator' } },
      scope: 'admin',
      params: keyId,
      answers: { 200: apiKey },
      refusals: ['not_found'],
      handler: async ({ params, caller }) => {
        const revoked = await revokeApiKey(db, params.id, caller);
        if (!revoked) return refuse('not_found', 'no such API key');
        keys.forget(params.id);
        return answer(200, viewKey(revoked));
      },
    }),
  ];
}

function viewKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    createdAt: row.createdAt,
    revokedAt: row.revokedAt,
    createdBy: row.createdBy,
    revokedBy: row.revokedBy,
  };
}
