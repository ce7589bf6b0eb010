/** Payments that are counted and scored by rules, and whose worker is killed meanwhile: each counts once. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { eventually } from '../shop.js';
import { phases } from '../stack/crash/scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  FRAUD_SCORER: 'rules',
  CUSTOMER_AMOUNT_PER_DAY: '5000',
});

const pay = (customerId: string, amount: number) => {
  const asked = { amount, currency: 'USD', cardToken: `tok_${randomUUID()}`, customerId };
  return own.shop.post('/api/payments', asked, { prefer: 'wait=30' });
};

describe.each(['takeCustomerLimit', 'scoreFraud', 'recordPayment'])(
  'a payment survives kill -9 of the worker at %s',
  (activity) => {
    test.each(phases)(
      '%s it acts: it is charged once, and counts once towards limit, rules and audit log',
      async (phase) => {
        const customerId = randomUUID();
        const crashed = crashAt(crashFolder, `${activity}.${phase}`);
        const { body } = await pay(customerId, 4200);
        await crashed();
        await eventually(
          'the payment',
          async () => (await own.shop.get(`/api/payments/${body.id}`)).body.status === 'captured',
        );
        expect(await own.shop.books(body.id)).toHaveLength(1);
        const sql = postgres(own.stack.databaseUrl, { max: 1 });
        const rows = await sql`select card, outcome, score from payment_attempts where payment_id = ${body.id}`;
        await sql.end();
        expect(rows).toEqual([{ card: 'primary', outcome: 'captured', score: 0 }]);
        const { body: audit } = await own.shop.get(`/api/audit?subject=payment/${body.id}`);
        expect(audit.items.map(({ action }: { action: string }) => action)).toEqual([
          'payment.decided',
          'payment.attempt',
        ]);
        expect((await pay(customerId, 801)).body.code).toBe('customer_limit_reached');
        expect((await pay(customerId, 800)).status).toBe(201);
      },
    );
  },
);
