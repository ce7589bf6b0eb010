/** Whether the ledger, the levels and the open reservations agree. */
import { z } from 'zod';
import { verify } from '../../db/verify.js';
import type { ApiDeps } from '../deps.js';
import { answer } from '../reply.js';
import { type Route, route } from '../route.js';

const verification = z
  .object({
    clean: z.boolean(),
    differences: z.array(
      z.object({
        sku: z.string(),
        location: z.string(),
        what: z.string(),
        expected: z.number(),
        found: z.number(),
      }),
    ),
  })
  .openapi('Verification');

export function ledgerRoutes({ connection: { sql, slowSql } }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/ledger/verify',
      tag: 'Stock',
      summary: 'Fold the whole ledger and compare it with what is kept',
      scope: 'admin',
      answers: { 200: verification },
      handler: async () => {
        // The fold may take minutes: that Postgres answers at all is asked first, and waited for no longer than elsewhere.
        await sql`select 1`;
        return answer(200, await verify(slowSql));
      },
    }),
  ];
}
