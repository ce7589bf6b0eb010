import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from './server.js';

let home: string;
let sandbox: Sandbox;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandbox-'));
  sandbox = await startSandbox({ home, httpPort: 0, smtpPort: 0 });
});
afterAll(async () => {
  await sandbox.close();
  await rm(home, { recursive: true });
});

async function send(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const response = await fetch(sandbox.url + path, { method, headers, body: body ?? null });
  const text = await response.text();
  const json: { error?: { code: string; detail: string }; score?: number; status?: string } = JSON.parse(text);
  return { status: response.status, json, text };
}

const withKey = { 'idempotency-key': 'k', 'content-type': 'application/json' };
const authorization = { token: 'tok_secret', amount: 5, currency: 'USD', reference: 'x' };

describe('the sandbox server', () => {
  it('reports that it is alive', async () => {
    expect(await send('GET', '/livez')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });

  it.each([
    ['no key', '{}', { 'content-type': 'application/json' }, 422],
    ['no key with a good body', JSON.stringify(authorization), { 'content-type': 'application/json' }, 400],
    ['no JSON', '{"amount":', withKey, 400],
    ['no body', undefined, { 'idempotency-key': 'k' }, 422],
    ['an amount of 0', JSON.stringify({ ...authorization, amount: 0 }), withKey, 422],
    ['half a cent', JSON.stringify({ ...authorization, amount: 0.5 }), withKey, 422],
    ['an amount as text', JSON.stringify({ ...authorization, amount: '5' }), withKey, 422],
    ['no card token', JSON.stringify({ ...authorization, token: 'secret_tok_1' }), withKey, 422],
    ['an unknown field', JSON.stringify({ ...authorization, tip: 1 }), withKey, 422],
    ['a body that is too large', JSON.stringify({ ...authorization, reference: 'x'.repeat(70_000) }), withKey, 413],
  ])('refuses an authorization with %s, and quotes no token', async (_what, body, headers, status) => {
    const answer = await send('POST', '/payments/authorize', body, headers);
    expect(answer.status).toBe(status);
    expect(answer.json.error?.code).toMatch(/^[a-z_]+$/);
    expect(answer.text).not.toContain('secret');
    expect((await send('GET', '/payments')).text).toBe('[]');
  });

  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/payments/auth_unknown', 404],
    ['GET', '/payments/operations', 422],
    ['GET', '/payments?reference=a&reference=b', 422],
    ['GET', '/mail?to=a&to=b', 422],
    ['POST', '/payments/auth_unknown/void', 404],
  ])('%s %s gives %s with a detail', async (method, path, status) => {
    const answer = await send(method, path, method === 'POST' ? '{}' : undefined, withKey);
    expect(answer.status).toBe(status);
    expect(answer.json.error?.detail).toBeTruthy();
  });

  it.each([
    ['tok_visa', 0.1],
    ['tok_fraud', 0.9],
    ['tok_risk_00', 0],
    ['tok_risk_81', 0.81],
    ['tok_risk_8', 0.1],
    ['tok_flaky_9', 0.1],
    ['pm_card_visa', 0.1],
  ])('scores %s as %d', async (token, score) => {
    const body = JSON.stringify({ ...authorization, token, customerId: null });
    expect((await send('POST', '/fraud/score', body, withKey)).json.score).toBe(score);
  });

  it('does not start if a port is taken, and leaves nothing behind', async () => {
    const other = await mkdtemp(join(tmpdir(), 'sandbox-'));
    const httpPort = Number(new URL(sandbox.url).port);
    await expect(startSandbox({ home: other, httpPort, smtpPort: 0 })).rejects.toThrow(/EADDRINUSE/);
    await expect(startSandbox({ home: other, httpPort: 0, smtpPort: sandbox.smtpPort })).rejects.toThrow(/EADDRINUSE/);
    const free = await startSandbox({ home: other, httpPort: 0, smtpPort: 0 });
    await free.close();
    await rm(other, { recursive: true });
  });

  it('stops at once even with held and slow calls in flight', async () => {
    const other = await mkdtemp(join(tmpdir(), 'sandbox-'));
    const busy = await startSandbox({ home: other, httpPort: 0, smtpPort: 0 });
    const calls = ['tok_auth_timeout_1', 'tok_slow_60000'].map((token) =>
      fetch(`${busy.url}/payments/authorize`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': token },
        body: JSON.stringify({ ...authorization, token }),
      }),
    );
    const ended = Promise.allSettled(calls);
    await expect
      .poll(async () => (await fetch(`${busy.url}/payments/operations?idempotencyKey=tok_slow_60000`)).status)
      .toBe(409);
    await busy.close();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await rm(other, { recursive: true });
  });
});
