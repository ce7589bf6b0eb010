import { z } from 'zod';
import { maxNameLength } from '../../domain/limits.js';
import { scopes } from '../../domain/scopes.js';
import type { Shape } from '../http/route.js';
import { createdAt, id, pageOf, text, time } from '../http/schemas.js';

/** Null for keys made or revoked before it was recorded. */
const actor = z.string().nullable();

export const keyId = z.strictObject({ id: id('key') });

const name = text(maxNameLength).openapi({ description: 'Who uses it.', example: 'web shop' });
const scopeList = z
  .array(z.enum(scopes))
  .openapi({ description: 'What it may do.', example: ['orders:read', 'orders:write'] });

export const newKey = z.strictObject({
  name,
  scopes: scopeList
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'must not name a scope twice')
    .openapi({
      uniqueItems: true,
      description:
        'None implies another. A key with `admin` can make keys with any scope, also one that it lacks itself: give `admin` only where every scope may be had.',
    }),
});

export const apiKey = z
  .object({
    id: id('key'),
    name,
    scopes: scopeList,
    createdAt,
    revokedAt: time.nullable().openapi({ description: 'When it was revoked; null: it works.', example: null }),
    createdBy: actor.openapi({ description: 'Who made it: `api_key:<id>` or `operator`.', example: 'operator' }),
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
