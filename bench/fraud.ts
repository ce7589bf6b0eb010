/** A payment scored by the rules against one scored over HTTP, each on a stack of its own, in turns. */
import { fraudRuleKinds } from '../domain/payments/fraud-rules.js';
import { type Stack, startStack } from '../test/setup/stack.js';
import { combine, type Timing, timingRow } from './empty.js';
import { load } from './load.js';
import type { Row } from './table.js';

const clients = 16;
const amount = 400;
const rounds = 3;
/** Many customers, so that counting them is what it is in a shop. */
const customers = 200;

const bodies = Array.from({ length: customers }, (_, n) => {
  return { amount: 1000 + n, currency: 'USD', cardToken: `tok_bench_${n}`, customerId: `bench-${n}` };
});

/** @param env of the stacks */
export async function benchFraud(env: Readonly<Record<string, string>>): Promise<Row[]> {
  const stacks: Stack[] = [];
  try {
    for (const scorer of ['http', 'rules'])
      stacks.push(await startStack({ ...env, FRAUD_SCORER: scorer, ADMISSION_LIMIT: '1000' }));
    const timings: Timing[][] = stacks.map(() => []);
    for (const stack of stacks) {
      await setRules(stack);
      await pay(stack);
    }
    for (let round = 0; round < rounds; round++)
      for (const [index, stack] of stacks.entries()) timings[index]?.push(await pay(stack));
    const [http, rules] = timings.map(combine);
    if (http === undefined || rules === undefined) throw new Error('a scorer was not measured');
    return [
      timingRow(`payment, scored over HTTP, ${clients} clients`, http),
      {
        ...timingRow(`payment, scored by rules, ${clients} clients`, rules),
        'of HTTP': (rules.perSecond / http.perSecond).toFixed(2),
      },
    ];
  } finally {
    for (const stack of stacks) await stack.stop();
  }
}

const pay = (stack: Stack): Promise<Timing> => load(stack, '/api/payments', { clients, amount, bodies, apart: true });

/** A rule of each kind that counts everything and blocks nothing. */
async function setRules({ apiUrl, apiKey }: Stack): Promise<void> {
  const rules = fraudRuleKinds.map((kind) => ({ name: kind, kind, threshold: 0, weight: 0.01, enabled: true }));
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const answer = await fetch(`${apiUrl}/api/fraud/rules`, { method: 'PUT', headers, body: JSON.stringify({ rules }) });
  if (!answer.ok) throw new Error(`the rules were refused: ${await answer.text()}`);
}
