/** Fraud rules through the API, on a stack of its own whose payments are scored by them alone. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, describe, expect, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { holdfast } from '../cli/holdfast.js';

const own = ownStack({ FRAUD_SCORER: 'rules', WORKERS: '2' });

const rule = (name: string, kind: string, threshold: number, more: object = {}) => {
  return { name, kind, threshold, weight: 0.9, enabled: true, ...more };
};
const setRules = (...rules: object[]) => own.shop.must(200, own.shop.call('PUT', '/api/fraud/rules', { rules }));
afterEach(() => setRules());

const pay = (cardToken: string, more: object = {}) => {
  const asked = { amount: 4200, currency: 'USD', cardToken, ...more };
  return own.shop.post('/api/payments', asked, { prefer: 'wait=30' });
};
const newToken = () => `tok_${randomUUID().replaceAll('-', '')}`;

describe('a payment', () => {
  test('is scored by the rules; those that fired are shown on it and in the audit log', async () => {
    await setRules(rule('big', 'amount_over', 4000, { weight: 0.5 }), rule('huge', 'amount_over', 9000));
    const { body: paid } = await own.shop.must(201, pay('tok_fraud'));
    expect(paid).toMatchObject({ fraudScore: 0.5, fraud: { score: 0.5, rules: ['big'] } });
    expect((await own.shop.get(`/api/payments/${paid.id}`)).body).toEqual(paid);
    const refused = await pay('tok_visa', { amount: 9001 });
    expect([refused.status, refused.body.code, refused.body.score]).toEqual([402, 'fraud_suspected', 0.95]);
    const { body: blocked } = await own.shop.get(`/api/payments/${refused.body.paymentId}`);
    expect(blocked).toMatchObject({ status: 'blocked', fraud: { score: 0.95, rules: ['big', 'huge'] } });
    expect(await own.shop.books(blocked.id)).toEqual([]);
    const audit = await own.shop.get(`/api/audit?subject=payment/${blocked.id}&action=payment.attempt`);
    expect(audit.body.items).toMatchObject([{ outcome: 'blocked', detail: { score: 0.95, rules: ['big', 'huge'] } }]);
  });

  test('of an order is scored as well, and shows the rules', async () => {
    await setRules(rule('new', 'new_customer_over', 999));
    const sku = await own.shop.product(5);
    const order = { lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken: newToken() } };
    const refused = await own.shop.order({ ...order, customer: { id: randomUUID() } });
    expect([refused.status, refused.body.code]).toEqual([402, 'fraud_suspected']);
    const { body } = await own.shop.get(`/api/orders/${refused.body.orderId}`);
    expect(body).toMatchObject({ status: 'reserved', payment: { fraud: { score: 0.9, rules: ['new'] } } });
  });

  test('on a card with too many attempts is blocked, for every customer; the token is kept nowhere', async () => {
    await setRules(rule('card', 'attempts_per_card', 2));
    const token = newToken();
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await pay(token, { customerId: randomUUID() })).status);
    expect(statuses).toEqual([201, 201, 402]);
    expect((await pay(newToken())).status).toBe(201);
    const sql = postgres(own.stack.databaseUrl, { max: 1 });
    try {
      const kept = await sql`select card_hash as hash from payment_attempts where card_hash is not null limit 500`;
      expect(kept.length).toBeGreaterThan(3);
      for (const { hash } of kept) expect(hash).toMatch(/^[0-9a-f]{64}$/);
      const [found] = await sql`
        select count(*)::int as rows from payment_attempts a where a::text like ${`%${token}%`}`;
      expect(found?.rows).toBe(0);
    } finally {
      await sql.end();
    }
  });

  test('after too many declines of the card is blocked; another card of the customer is not', async () => {
    await setRules(rule('declined', 'declines_per_card', 2));
    const customerId = randomUUID();
    const statuses = [];
    for (let n = 0; n < 4; n++) statuses.push((await pay('tok_declined', { customerId })).body.code);
    expect(statuses).toEqual(['payment_declined', 'payment_declined', 'payment_declined', 'fraud_suspected']);
    expect((await pay(newToken(), { customerId })).status).toBe(201);
  });
});

test('of twenty payments at once, no more pass than the rule allows', async () => {
  await setRules(rule('customer', 'attempts_per_customer', 5));
  const customerId = randomUUID();
  const answers = await Promise.all(Array.from({ length: 20 }, () => pay(newToken(), { customerId, amount: 100 })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
  expect(answers.filter(({ body }) => body.code === 'fraud_suspected')).toHaveLength(15);
});

describe('the rules', () => {
  test('are read as they were set, and a bad one changes nothing', async () => {
    const rules = [rule('a', 'amount_over', 100), rule('b', 'amount_over_usual', 2.5, { enabled: false })];
    expect((await setRules(...rules)).body).toEqual({ rules });
    const wrong: readonly [object[], string][] = [
      [[rule('a', 'amount_over', 1), rule('a', 'amount_over', 2)], '/rules/1/name'],
      [[rule('a', 'amount_over', 1.5)], '/rules/0/threshold'],
      [[rule('a', 'amount_over', -1)], '/rules/0/threshold'],
      [[rule('a', 'attempts_per_card', 1_000_001)], '/rules/0/threshold'],
      [[rule('a', 'amount_over', 1, { weight: 1.1 })], '/rules/0/weight'],
      [[rule('a', 'amount_over', 1, { weight: -0.1 })], '/rules/0/weight'],
      [[rule('a', 'moon_phase', 1)], '/rules/0/kind'],
      [[rule('', 'amount_over', 1)], '/rules/0/name'],
      [[rule('a', 'amount_over', 1, { more: 1 })], '/rules/0/more'],
      [Array.from({ length: 51 }, (_, n) => rule(`${n}`, 'amount_over', 1)), '/rules'],
    ];
    for (const [body, pointer] of wrong) {
      const answer = await own.shop.call('PUT', '/api/fraud/rules', { rules: body });
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([422, pointer]);
    }
    expect((await own.shop.get('/api/fraud/rules')).body).toEqual({ rules });
  });

  test('are set from a file on the command line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    try {
      const file = join(folder, 'rules.json');
      writeFileSync(file, JSON.stringify({ rules: [rule('from a file', 'cards_per_customer', 4)] }));
      const { apiUrl, apiKey } = own.stack;
      const command = (args: string[]) => holdfast(args, { HOLDFAST_API_URL: apiUrl, HOLDFAST_API_KEY: apiKey });
      const set = await command(['fraud', 'rules', '--set', file]);
      expect(set).toMatchObject({ code: 0, err: '' });
      expect(set.out).toMatch(/from a file +cards_per_customer +4 +0\.9 +yes/);
      expect((await command(['fraud', 'rules'])).out).toBe(set.out);
      writeFileSync(file, '{"rules": [');
      expect(await command(['fraud', 'rules', '--set', file])).toMatchObject({ code: 2, out: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
