/** The rules that payments are scored by. */
import { listFraudRules, replaceFraudRules } from '../../db/payments/fraud.js';
import type { ApiDeps } from '../deps.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { fraudRulesExample } from '../openapi/examples/controls.js';
import { fraudRules } from './schemas.js';

export function fraudRoutes({ connection: { db, sql } }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/fraud/rules',
      tag: 'Fraud',
      summary: 'Read the fraud rules',
      description: 'Returns all rules, in the order that they were given in.',
      example: { answer: fraudRulesExample },
      scope: 'admin',
      answers: { 200: fraudRules },
      handler: async () => answer(200, { rules: await listFraudRules(db) }),
    }),
    route({
      method: 'put',
      path: '/api/fraud/rules',
      tag: 'Fraud',
      summary: 'Replace the fraud rules',
      description:
        'Replaces all rules at once; payments that are scored from then on use them. They count only where the setting `FRAUD_SCORER` is `rules` or `both`. A payment whose score is above 0.8 is blocked.',
      example: { body: fraudRulesExample, answer: fraudRulesExample },
      scope: 'admin',
      body: fraudRules,
      answers: { 200: fraudRules },
      handler: async ({ body, caller }) => {
        await replaceFraudRules(sql, body.rules, caller);
        return answer(200, body);
      },
    }),
  ];
}
