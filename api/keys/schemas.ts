import { z } from 'zod';
import { maxNameLength } from '../../domain/limits.js';
import { scopes } from '../../domain/scopes.js';
import type { Shape } from '../http/route.js';
import { createdAt, id, pageOf, text, time } from '../http/schemas.js';

/** Null for keys that were created or revoked before the actor was recorded. */
const actor = z.string().nullable();

export const keyId = z.strictObject({ id: id('key') });

const name = text(maxNameLength).openapi({ description: 'Who uses the key.', example: 'web shop' });
const scopeList = z
  .array(z.enum(scopes))
  .openapi({ description: 'What the key may do.', example: ['orders:read', 'orders:write'] });

export const newKey = z.strictObject({
  name,
  scopes: scopeList
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'must not name a scope twice')
    .openapi({
      uniqueItems: true,
      description:
        'No scope implies another. A key with `admin` can create keys with any scope, even one it lacks itself: grant `admin` only where you would grant every scope.',
    }),
});

export const apiKey = z
  .object({
    id: id('key'),
    name,
    scopes: scopeList,
    createdAt,
    revokedAt: time.nullable().openapi({ description: 'When it was revoked; null: it is valid.', example: null }),
    createdBy: actor.openapi({ description: 'Who created it: `api_key:<id>` or `operator`.', example: 'operator' }),
    revokedBy: actor.openapi({ description: 'Who revoked it.', example: null }),
  })
  .openapi('ApiKey', { description: 'An API key, without its secret.' });
export type ApiKey = Shape<typeof apiKey>;

export const shownKey = apiKey
  .extend({
    key: z.string().nullable().openapi({ description: 'The secret, shown once; null when the call is repeated.' }),
  })
  .openapi('NewApiKey', { description: 'An API key with its secret.' });

export const keyPage = pageOf('ApiKey', apiKey);
