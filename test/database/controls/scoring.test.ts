/** Who scores a payment, and what happens while the scorer over HTTP does not answer. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fraudScoring, type ScoringParts } from '../../../activities/scoring.js';
import { secretOf } from '../../../db/access/secrets.js';
import { replaceFraudRules, scoreAttempt } from '../../../db/payments/fraud.js';
import type { FraudCall, FraudGateway } from '../../../gateways/fraud/gateway.js';
import { createSandboxFraud } from '../../../gateways/fraud/sandbox.js';
import { paymentGateways } from '../../../gateways/payment/registry.js';
import { createSandboxPayments } from '../../../gateways/payment/sandbox.js';
import { Books } from '../books.js';

let books: Books;
let server: Server;
let http: FraudGateway;
let calls = 0;
let answer: (res: ServerResponse) => void;
const scores = (score: number) => (res: ServerResponse) => {
  res.setHeader('content-type', 'application/json').end(JSON.stringify({ score }));
};
const outOfOrder = (res: ServerResponse) => void res.writeHead(500).end();
const silent = () => undefined;

beforeAll(async () => {
  books = await Books.open();
  server = createServer((req, res) => {
    calls += 1;
    req.resume().on('end', () => answer(res));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  http = createSandboxFraud({ baseUrl: `http://127.0.0.1:${port}`, timeoutMs: 500 });
});
afterAll(async () => {
  await http.close();
  server.closeAllConnections();
  server.close();
  await books.close();
});
beforeEach(async () => {
  calls = 0;
  answer = scores(0.3);
  await setRule(500, 0.6);
});

const setRule = (threshold: number, weight: number) => {
  const rule = { name: 'big', kind: 'amount_over', threshold, weight, enabled: true } as const;
  return replaceFraudRules(books.sql, [rule], { actor: 'test', requestId: null });
};

function scoring(parts: Pick<ScoringParts, 'scorer'> & Partial<ScoringParts>): FraudGateway {
  return fraudScoring({
    whenDown: 'block',
    http,
    payments: paymentGateways([createSandboxPayments({ baseUrl: 'http://127.0.0.1:9', timeoutMs: 500 })]),
    record: (attempt) => scoreAttempt(books.sql, attempt),
    cardKey: () => secretOf(books.sql, 'card_fingerprints'),
    ...parts,
  });
}

function callOf(amount: number, token = 'tok_visa'): FraudCall {
  const paymentId = `pay_${randomUUID().replaceAll('-', '')}`;
  return { paymentId, card: 'primary', token, amount, currency: 'USD', reference: paymentId, customerId: null };
}

const attemptsOf = ({ paymentId }: FraudCall) => books.sql`
  select score, rules, card_hash as hash from payment_attempts where payment_id = ${paymentId}`;

describe('a payment is scored', () => {
  test('by the scorer over HTTP alone, which counts for itself', async () => {
    const call = callOf(1000);
    expect(await scoring({ scorer: 'http' }).score(call)).toBe(0.3);
    expect(await attemptsOf(call)).toEqual([]);
  });

  test('by the rules alone: nobody else is asked', async () => {
    const call = callOf(1000);
    expect(await scoring({ scorer: 'rules' }).score(call)).toBe(0.6);
    expect(calls).toBe(0);
    expect(await attemptsOf(call)).toMatchObject([{ score: 0.6, rules: ['big'] }]);
  });

  test('by both: the higher score counts', async () => {
    const both = scoring({ scorer: 'both' });
    expect([await both.score(callOf(1000)), await both.score(callOf(100))]).toEqual([0.6, 0.3]);
    answer = scores(0.95);
    expect(await both.score(callOf(1000))).toBe(0.95);
  });

  test('with the card as an HMAC, the same for the same card', async () => {
    const rules = scoring({ scorer: 'rules' });
    const [one, two, other] = [callOf(1, 'tok_a'), callOf(1, 'tok_a'), callOf(1, 'tok_b')];
    for (const call of [one, two, other]) await rules.score(call);
    const hashes = [];
    for (const call of [one, two, other]) hashes.push((await attemptsOf(call))[0]?.hash);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect([hashes[0] === hashes[1], hashes[0] === hashes[2]]).toEqual([true, false]);
  });
});

const reportsOf = ({ paymentId }: FraudCall) => books.sql`
  select action, detail->'amount' as amount from audit_log where subject = ${`payment/${paymentId}`}`;
const unreachable = createSandboxFraud({ baseUrl: 'http://127.0.0.1:9', timeoutMs: 500 });
afterAll(() => unreachable.close());

describe.each([
  ['answers an error', { fault: outOfOrder }],
  ['answers that it has too much to do', { fault: (res: ServerResponse) => void res.writeHead(429).end() }],
  ['does not answer in time', { fault: silent }],
  ['cannot be reached', { via: unreachable }],
])('where the scorer %s', (_name, { fault, via }: { fault?: typeof answer; via?: FraudGateway }) => {
  const asked = () => via ?? http;
  beforeEach(() => {
    if (fault) answer = fault;
  });

  test('a payment is left undecided, whatever it costs', async () => {
    for (const scorer of ['http', 'both'] as const)
      await expect(scoring({ scorer, http: asked() }).score(callOf(1))).rejects.toMatchObject({ name: 'GatewayFault' });
  });

  test('a payment below the amount goes on at once, at it or above not, and that is reported', async () => {
    const allowing = scoring({ scorer: 'http', http: asked(), whenDown: { allowUnder: 100 } });
    const call = callOf(99);
    expect(await allowing.score(call)).toBe(0);
    expect(calls).toBe(via ? 0 : 1);
    await expect(allowing.score(callOf(100))).rejects.toMatchObject({ name: 'GatewayFault' });
    expect(await reportsOf(call)).toEqual([{ action: 'payment.unscored', amount: 99 }]);
    expect(await attemptsOf(call)).toMatchObject([{ score: 0, rules: [] }]);
  });

  test('the rules still count where both score', async () => {
    await setRule(10, 0.9);
    const both = scoring({ scorer: 'both', http: asked(), whenDown: { allowUnder: 100 } });
    expect([await both.score(callOf(99)), await both.score(callOf(10))]).toEqual([0.9, 0]);
  });
});

describe.each([
  ['a score that is none', scores(7)],
  ['what is not JSON', (res: ServerResponse) => void res.end('low')],
  ['nothing', (res: ServerResponse) => void res.end()],
])('where the scorer answers %s', (_name, senseless) => {
  test('no payment goes on, however small: the call is retried', async () => {
    answer = senseless;
    for (const scorer of ['http', 'both'] as const) {
      const call = callOf(1);
      const asked = scoring({ scorer, whenDown: { allowUnder: 100 } }).score(call);
      await expect(asked).rejects.toMatchObject({ name: 'GatewayFault', fault: 'malformed' });
      expect([await reportsOf(call), await attemptsOf(call)]).toEqual([[], []]);
    }
  });
});
