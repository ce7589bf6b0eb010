/** Whether the ledger, the levels and the open reservations agree. */
import { z } from 'zod';
import { verify } from '../../db/stock/verify.js';
import type { ApiDeps } from '../deps.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { locationCode, sku } from '../http/schemas.js';

const verification = z
  .object({
    clean: z.boolean().openapi({ description: 'Whether nothing differs.' }),
    differences: z
      .array(
        z.object({
          sku,
          location: locationCode,
          what: z.string().openapi({ description: 'Which figure differs.', example: 'onHand' }),
          expected: z.number().openapi({ description: 'What the ledger says.', example: 42 }),
          found: z.number().openapi({ description: 'What is stored.', example: 41 }),
        }),
      )
      .openapi({ description: 'What differs.' }),
  })
  .openapi('Verification', { description: 'Whether the ledger, the levels and the open holds agree.' });

export function ledgerRoutes({ connection: { sql, slowSql } }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/ledger/verify',
      tag: 'Stock',
      summary: 'Verify the ledger',
      description:
        'Adds up the whole ledger and compares it with the current figures and the open holds. `clean` is true if nothing differs.',
      example: { answer: { clean: true, differences: [] } },
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
