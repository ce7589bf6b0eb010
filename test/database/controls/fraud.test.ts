/** Fraud rules: each kind at, below and above its threshold, and attempts that come at once. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { secretOf } from '../../../db/access/secrets.js';
import { listFraudRules, replaceFraudRules, type ScoredAttempt, scoreAttempt } from '../../../db/payments/fraud.js';
import { recordPayment } from '../../../db/payments/queries.js';
import type { PaymentRecord } from '../../../domain/orders/steps.js';
import type { FraudRule, FraudRuleKind } from '../../../domain/payments/fraud-rules.js';
import { Books } from '../books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const by = { actor: 'api_key:key_1', requestId: 'req_1' };
const rule = (kind: FraudRuleKind, threshold: number, more: Partial<FraudRule> = {}): FraudRule => {
  return { name: kind, kind, threshold, weight: 0.9, enabled: true, ...more };
};
const setRules = (...rules: FraudRule[]) => replaceFraudRules(books.sql, rules, by);
beforeEach(() => setRules());

const newPaymentId = () => `pay_${randomUUID().replaceAll('-', '')}`;
const newCustomer = () => `cus_${randomUUID()}`;

function attemptBy(customerId: string | null, more: Partial<ScoredAttempt> = {}): ScoredAttempt {
  const money = { amount: 1000, currency: 'USD' };
  const scorer = { byRules: true, outside: null, unscored: false };
  return {
    paymentId: newPaymentId(),
    card: 'primary',
    cardHash: randomUUID(),
    customerId,
    ...money,
    ...scorer,
    ...more,
  };
}
const score = (attempt: ScoredAttempt, sql = books.sql) => scoreAttempt(sql, attempt);

/** Scores an attempt, and decides its payment. */
async function decided(attempt: ScoredAttempt, outcome: 'captured' | 'declined'): Promise<PaymentRecord> {
  await score(attempt);
  const { paymentId: id, amount, currency, customerId, card } = attempt;
  const none = { orderId: null, email: null, reference: null, fraudScore: 0, providerReference: null, failure: null };
  const attempts = [{ card, outcome, code: null, at: new Date().toISOString() }];
  const cardUsed = outcome === 'captured' ? card : null;
  const record: PaymentRecord = { id, amount, currency, customerId, status: outcome, cardUsed, attempts, ...none };
  await recordPayment(books.sql, record, []);
  return record;
}

/** Moves an attempt into the past. */
const age = (paymentId: string, interval: string) =>
  books.sql`update payment_attempts set at = at - ${interval}::interval where payment_id = ${paymentId}`;

describe('a rule fires above its threshold, and neither at it nor below it:', () => {
  test('amount_over', async () => {
    await setRules(rule('amount_over', 1000));
    const scores = [];
    for (const amount of [999, 1000, 1001]) scores.push(await score(attemptBy(null, { amount })));
    expect(scores).toEqual([0, 0, 0.9]);
  });

  test('attempts_per_card, over one hour', async () => {
    await setRules(rule('attempts_per_card', 2));
    const cardHash = randomUUID();
    const attempts = Array.from({ length: 4 }, () => attemptBy(newCustomer(), { cardHash }));
    const scores = [];
    for (const attempt of attempts) scores.push(await score(attempt));
    expect(scores).toEqual([0, 0, 0.9, 0.9]);
    // Three of them happened longer than an hour ago.
    for (const { paymentId } of attempts.slice(0, 3)) await age(paymentId, '61 minutes');
    expect(await score(attemptBy(null, { cardHash }))).toBe(0);
    expect(await score(attemptBy(null))).toBe(0);
    expect(await score(attemptBy(null, { cardHash: null }))).toBe(0);
  });

  test('declines_per_card, over 24 hours', async () => {
    await setRules(rule('declines_per_card', 1));
    const cardHash = randomUUID();
    const first = attemptBy(null, { cardHash });
    await decided(first, 'declined');
    await decided(attemptBy(null, { cardHash }), 'captured');
    expect(await score(attemptBy(null, { cardHash }))).toBe(0);
    await decided(attemptBy(null, { cardHash }), 'declined');
    expect(await score(attemptBy(null, { cardHash }))).toBe(0.9);
    await age(first.paymentId, '23 hours');
    expect(await score(attemptBy(null, { cardHash }))).toBe(0.9);
    await age(first.paymentId, '61 minutes');
    expect(await score(attemptBy(null, { cardHash }))).toBe(0);
  });

  test('attempts_per_customer, over one hour', async () => {
    await setRules(rule('attempts_per_customer', 2));
    const customer = newCustomer();
    const scores = [];
    for (let n = 0; n < 3; n++) scores.push(await score(attemptBy(customer)));
    expect(scores).toEqual([0, 0, 0.9]);
    expect(await score(attemptBy(newCustomer()))).toBe(0);
    expect(await score(attemptBy(null))).toBe(0);
  });

  test('cards_per_customer, over 24 hours', async () => {
    await setRules(rule('cards_per_customer', 2));
    const customer = newCustomer();
    const cardHash = randomUUID();
    const first = attemptBy(customer, { cardHash });
    const scores = [await score(first)];
    for (const hash of [cardHash, randomUUID(), cardHash, randomUUID()])
      scores.push(await score(attemptBy(customer, { cardHash: hash })));
    expect(scores).toEqual([0, 0, 0, 0, 0.9]);
  });

  test('amount_over_usual: times the median of three or more captured payments in the same currency', async () => {
    await setRules(rule('amount_over_usual', 3));
    const customer = newCustomer();
    for (const amount of [100, 200]) await decided(attemptBy(customer, { amount }), 'captured');
    await decided(attemptBy(customer, { amount: 9, currency: 'EUR' }), 'captured');
    await decided(attemptBy(customer, { amount: 9 }), 'declined');
    expect(await score(attemptBy(customer, { amount: 100_000 }))).toBe(0);
    await decided(attemptBy(customer, { amount: 5000 }), 'captured');
    const scores = [];
    for (const amount of [599, 600, 601]) scores.push(await score(attemptBy(customer, { amount })));
    expect(scores).toEqual([0, 0, 0.9]);
    expect(await score(attemptBy(customer, { amount: 601, currency: 'EUR' }))).toBe(0);
  });

  test('new_customer_over: only without a captured payment before', async () => {
    await setRules(rule('new_customer_over', 1000));
    const customer = newCustomer();
    const scores = [];
    for (const amount of [1000, 1001]) scores.push(await score(attemptBy(customer, { amount })));
    await decided(attemptBy(customer, { amount: 1 }), 'declined');
    scores.push(await score(attemptBy(customer, { amount: 1001 })));
    await decided(attemptBy(customer, { amount: 1 }), 'captured');
    scores.push(await score(attemptBy(customer, { amount: 1001 })));
    expect(scores).toEqual([0, 0.9, 0.9, 0]);
    expect(await score(attemptBy(null, { amount: 1001 }))).toBe(0);
  });

  test('currency_mismatch: all captured payments before are in other currencies', async () => {
    await setRules(rule('currency_mismatch', 0));
    const customer = newCustomer();
    const inEuro = { currency: 'EUR' };
    expect(await score(attemptBy(customer, inEuro))).toBe(0);
    await decided(attemptBy(customer), 'captured');
    expect(await score(attemptBy(customer))).toBe(0);
    expect(await score(attemptBy(customer, inEuro))).toBe(0.9);
    await decided(attemptBy(customer, inEuro), 'captured');
    expect(await score(attemptBy(customer, inEuro))).toBe(0);
  });
});

describe('a score', () => {
  test('is 1 − Π(1 − weight) over the rules that fire; disabled ones do not count', async () => {
    await setRules(
      rule('amount_over', 1, { name: 'a', weight: 0.3 }),
      rule('amount_over', 2, { name: 'b', weight: 0.5 }),
      rule('amount_over', 3, { name: 'off', weight: 1, enabled: false }),
      rule('amount_over', 5000, { name: 'high', weight: 1 }),
    );
    const attempt = attemptBy(null);
    expect(await score(attempt)).toBe(0.65);
    const [row] = await books.sql`select rules, score from payment_attempts where payment_id = ${attempt.paymentId}`;
    expect(row).toEqual({ rules: ['a', 'b'], score: 0.65 });
    expect(await score(attemptBy(null, { amount: 5001 }))).toBe(1);
  });

  test('is the higher one of rules and another scorer', async () => {
    await setRules(rule('amount_over', 1, { weight: 0.4 }));
    expect(await score(attemptBy(null, { outside: 0.3 }))).toBe(0.4);
    expect(await score(attemptBy(null, { outside: 0.55 }))).toBe(0.55);
    expect(await score(attemptBy(null, { outside: 0.3, byRules: false }))).toBe(0.3);
  });

  test('of a repeated attempt is the first one, and counts once', async () => {
    await setRules(rule('attempts_per_customer', 1));
    const attempt = attemptBy(newCustomer());
    expect([await score(attempt), await score(attempt), await score({ ...attempt, outside: 0.9 })]).toEqual([0, 0, 0]);
    // The backup card of the same payment is another attempt.
    expect(await score({ ...attempt, card: 'backup' })).toBe(0.9);
  });

  test('counts every attempt before it: of fifty at once, by two processes, exactly the first ten pass', async () => {
    await setRules(rule('attempts_per_customer', 10));
    const customer = newCustomer();
    const cardHash = randomUUID();
    const others = [books.another(8), books.another(8)];
    const scores = await Promise.all(
      Array.from({ length: 50 }, (_, n) => score(attemptBy(customer, { cardHash }), others[n % 2]?.sql)),
    );
    await Promise.all(others.map((other) => other.close()));
    expect(scores.filter((each) => each === 0)).toHaveLength(10);
    expect(scores.filter((each) => each === 0.9)).toHaveLength(40);
  });

  test('that nobody gave is reported, once', async () => {
    const attempt = attemptBy(null, { byRules: false, unscored: true });
    await score(attempt);
    await score(attempt);
    const rows = await books.sql`
      select action, outcome, detail from audit_log where subject = ${`payment/${attempt.paymentId}`}`;
    expect(rows).toEqual([
      { action: 'payment.unscored', outcome: 'allowed', detail: { card: 'primary', amount: 1000, currency: 'USD' } },
    ]);
  });
});

describe('the rules', () => {
  test('are replaced as a whole, by one of those who do it at once, and each replacement is reported', async () => {
    const sets = Array.from({ length: 12 }, (_, n) =>
      Array.from({ length: 3 }, (_each, m) => rule('amount_over', n, { name: `${n}-${m}` })),
    );
    await Promise.all(sets.map((rules) => replaceFraudRules(books.sql, rules, { ...by, requestId: 'at-once' })));
    expect(sets).toContainEqual(await listFraudRules(books.connection.db));
    const reported = await books.sql<{ rules: FraudRule[] }[]>`
      select detail->'rules' as rules from audit_log where action = 'fraud_rules.replaced' and request_id = 'at-once'`;
    expect(reported.map(({ rules }) => rules)).toEqual(expect.arrayContaining(sets));
  });

  test('keep the order that they were given in', async () => {
    const rules = ['z', 'a', 'm'].map((name) =>
      rule('amount_over', 1.5, { name, weight: 0.25, enabled: name !== 'a' }),
    );
    await setRules(...rules);
    expect(await listFraudRules(books.connection.db)).toEqual(rules);
  });
});

test('the decision of a payment stores the outcome of its attempts, and reports score and rules', async () => {
  await setRules(rule('amount_over', 999, { weight: 0.2 }));
  const attempt = attemptBy(null);
  await decided(attempt, 'declined');
  const [row] = await books.sql`select outcome from payment_attempts where payment_id = ${attempt.paymentId}`;
  expect(row).toEqual({ outcome: 'declined' });
  const [reported] = await books.sql`
    select detail from audit_log where subject = ${`payment/${attempt.paymentId}`} and action = 'payment.attempt'`;
  expect(reported?.detail).toMatchObject({ card: 'primary', score: 0.2, rules: ['amount_over'] });
});

test('a secret is made once, however many ask at once', async () => {
  const name = `test-${randomUUID()}`;
  const asked = await Promise.all(Array.from({ length: 8 }, () => secretOf(books.sql, name)));
  expect(new Set(asked).size).toBe(1);
  expect(asked[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(await secretOf(books.sql, name)).toBe(asked[0]);
});
