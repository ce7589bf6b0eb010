/** The client of the sandbox's fraud scorer (sandbox/fraud/routes.ts is the server). */
import { z } from 'zod';
import { expectShape } from '../http/answers.js';
import { createHttpGateway, type HttpGatewayOptions, unexpectedAnswer } from '../http/http.js';
import type { FraudGateway } from './gateway.js';

const name = 'fraud';
const scored = z.object({ score: z.number().min(0).max(1) });

export function createSandboxFraud(options: HttpGatewayOptions): FraudGateway {
  const http = createHttpGateway(name, options);
  return {
    async score({ token, amount, currency, reference, customerId }, callOptions) {
      const body = { token, amount, currency, reference, customerId };
      const answer = await http.call({ method: 'POST', path: '/fraud/score', body }, callOptions);
      if (answer.status !== 200) throw unexpectedAnswer(name, 'score', answer);
      return expectShape(name, scored, answer.body).score;
    },
    close: () => http.close(),
  };
}
