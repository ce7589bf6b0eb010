/** The gateway clients against the sandbox, in a separate process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CardOperation } from '../domain/purchase/steps.js';
import type { FraudGateway } from './fraud/gateway.js';
import { createSandboxFraud } from './fraud/sandbox.js';
import { GatewayFault } from './http/fault.js';
import type { CallOptions } from './http/http.js';
import type { MailGateway } from './mail/gateway.js';
import { createSmtpMail } from './mail/smtp.js';
import { memoryIds } from './payment/conformance/provider.fixture.js';
import type { PaymentGateway } from './payment/gateway.js';
import { createSandboxPayments } from './payment/sandbox.js';
import { type SandboxProcess, startSandboxProcess } from './sandbox-process.fixture.js';

let home: string;
let sandbox: SandboxProcess;
let payments: PaymentGateway;
let fraud: FraudGateway;
let mail: MailGateway;
let serial = 0;
const fresh = (what: string) => `${what}/${++serial}`;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'gateways-'));
  sandbox = await startSandboxProcess(home);
  payments = createSandboxPayments({ baseUrl: sandbox.url, timeoutMs: 3000 });
  fraud = createSandboxFraud({ baseUrl: sandbox.url, timeoutMs: 3000 });
  mail = createSmtpMail({ host: '127.0.0.1', port: sandbox.smtpPort, from: 'shop@example.com', timeoutMs: 3000 });
}, 60_000);
afterAll(async () => {
  mail.close();
  await Promise.all([payments.close(), fraud.close()]);
  await sandbox.kill();
  await rm(home, { recursive: true });
});

const order = (token: string, paymentId = fresh('pay')): CardOperation => ({
  ...{ paymentId, card: 'primary', token, amount: 4200, currency: 'GBP' },
  ...{ reference: paymentId, customerId: null, traceparent: '' },
});

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await (await fetch(sandbox.url + path)).text());
}

describe('the payment gateway', () => {
  it.each([
    ['tok_auth_timeout_1', 'no_answer', false],
    ['tok_auth_lost_1', 'no_answer', true],
    ['tok_flaky_1', 'server_error', false],
  ])('%s gives the fault %s, and a look-up shows whether it happened', async (token, fault, happened) => {
    const card = order(token);
    const authorize = (options?: CallOptions) => payments.authorize(card, memoryIds(), options);
    await expect(authorize({ timeoutMs: 1000 })).rejects.toMatchObject({ name: 'GatewayFault', fault });
    const found = await payments.findAuthorization(card, null);
    expect(found !== null).toBe(happened);
    const answer = await authorize();
    if (found) expect(answer).toEqual(found);
    expect(await read<unknown[]>(`/payments?reference=${card.reference}`)).toHaveLength(1);
  });

  it('a look-up during a call has no answer yet, and a repeated call waits for it', async () => {
    const card = order('tok_slow_2000');
    const slow = payments.authorize(card, memoryIds());
    await sleep(200);
    expect(await payments.findAuthorization(card, null)).toBeNull();
    expect(await payments.authorize(card, memoryIds())).toEqual(await slow);
    expect(await payments.findAuthorization(card, null)).toEqual(await slow);
  });

  it('a bug in the caller gives an ordinary error that explains it without the token', async () => {
    const card = order('tok_very_secret');
    await payments.authorize(card, memoryIds());
    for (const wrong of [
      // It may have taken the money of the earlier call: no refusal.
      () => payments.authorize({ ...card, amount: 1 }, memoryIds()),
      () => payments.capture(card, 'auth_nobody'),
    ]) {
      const error = await wrong().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(GatewayFault);
      expect(String(error)).toMatch(/idempotency_key_reused|unknown_authorization/);
      expect(String(error)).not.toContain('secret');
    }
  });

  it('a used token is a refusal, in a look-up and at a repetition too', async () => {
    const card = order('tok_used');
    const refused = { kind: 'declined', code: 'payment_declined', declineCode: 'token_used' };
    expect(await payments.authorize(card, memoryIds())).toEqual(refused);
    expect(await payments.findAuthorization(card, null)).toEqual(refused);
    expect(await payments.authorize(card, memoryIds())).toEqual(refused);
  });
});

describe('the fraud gateway', () => {
  it.each([
    ['tok_visa', 0.1],
    ['tok_fraud', 0.9],
    ['tok_risk_55', 0.55],
  ])('scores %s with %d', async (token, score) => {
    const call = { paymentId: 'pay_1', card: 'primary', amount: 1, currency: 'USD', reference: 'r' } as const;
    expect(await fraud.score({ ...call, token, customerId: null })).toBe(score);
  });
});

describe('the mail gateway', () => {
  it('delivers a mail as it was written, and only once if it is sent again', async () => {
    const letter = { messageId: '<receipt.1@holdfast>', to: 'a@example.com', subject: 'Grüße', text: 'Danke: 5 €\n' };
    for (let n = 0; n < 2; n++) await mail.send(letter);
    expect(await read('/mail?to=a@example.com')).toMatchObject([letter]);
  });
});

describe('a sandbox that is killed and restarted', { timeout: 60_000 }, () => {
  it('leaves every call answered or in doubt, and repeating those in doubt authorizes none twice', async () => {
    const calls = Array.from({ length: 400 }, () => order('tok_visa', fresh('killed').replace('/', '-')));
    const results: unknown[] = [];
    const queue = calls.entries();
    const buyer = async () => {
      // Long enough for a slow restart: the breaker then waits, and callers see no fault.
      for (const [n, call] of queue)
        results[n] = await payments
          .authorize(call, memoryIds(), { timeoutMs: 30_000 })
          .catch((error: unknown) => error);
    };
    const load = Promise.all(Array.from({ length: 20 }, buyer));
    await expect.poll(() => results.length, { timeout: 30_000, interval: 1 }).toBeGreaterThan(100);
    await sandbox.kill();
    sandbox = await startSandboxProcess(home, sandbox);
    await load;
    const faults = results.filter((result) => result instanceof GatewayFault);
    for (const result of results)
      if (!(result instanceof GatewayFault)) expect(result).toMatchObject({ kind: 'authorized' });
    // Calls in flight, the five that opened the breaker, and one probe every half second.
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThan(100);
    for (const [n, call] of calls.entries()) {
      const answer = await payments.authorize(call, memoryIds());
      if (!(results[n] instanceof GatewayFault)) expect(answer).toEqual(results[n]);
    }
    const references = (await read<{ reference: string }[]>('/payments')).map(({ reference }) => reference);
    const killed = references.filter((reference) => reference.startsWith('killed'));
    expect(killed).toHaveLength(calls.length);
    expect(new Set(killed).size).toBe(calls.length);
  });

  it('accepts mail again over a new connection', async () => {
    await sandbox.kill();
    sandbox = await startSandboxProcess(home, sandbox);
    await mail.send({ messageId: '<back@holdfast>', to: 'back@example.com', subject: 's', text: 't' });
    expect(await read('/mail?to=back@example.com')).toHaveLength(1);
  });
});
