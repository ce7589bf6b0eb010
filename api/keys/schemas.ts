import { z } from 'zod';
import { scopes } from '../../db/api-keys.js';
import { id, pageOf, text, time } from '../schemas.js';

export const keyId = z.strictObject({ id: id('key') });

export const newKey = z.strictObject({
  name: text(200),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'must not name a scope twice'),
});

export const apiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    createdAt: time,
    revokedAt: time.nullable(),
  })
  .openapi('ApiKey');

export const shownKey = apiKey
  .extend({
    key: z.string().nullable().openapi({ description: 'The secret, shown once; null when the call is repeated.' }),
  })
  .openapi('NewApiKey');

export const keyPage = pageOf('ApiKey', apiKey);
