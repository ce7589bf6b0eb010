import { z } from 'zod';
import { scopes } from '../../db/api-keys.js';
import { id, pageOf, text, time } from '../schemas.js';

/** Null for keys made or revoked before it was recorded. */
const actor = z.string().nullable();

export const keyId = z.strictObject({ id: id('key') });

export const newKey = z.strictObject({
  name: text(200),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'must not name a scope twice')
    .openapi({
      description:
        'None implies another. A key with `admin` can make keys with any scope, also one that it lacks itself: give `admin` only where every scope may be had.',
    }),
});

export const apiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    createdAt: time,
    revokedAt: time.nullable(),
    createdBy: actor.openapi({ description: 'Who made it: `api_key:<id>` or `operator`.' }),
    revokedBy: actor.openapi({ description: 'Who revoked it.' }),
  })
  .openapi('ApiKey');

export const shownKey = apiKey
  .extend({
    key: z.string().nullable().openapi({ description: 'The secret, shown once; null when the call is repeated.' }),
  })
  .openapi('NewApiKey');

export const keyPage = pageOf('ApiKey', apiKey);
