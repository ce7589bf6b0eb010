/** The clients of both card processors, against the sandbox over HTTP: on its own wire, and on Stripe's. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandboxProcess } from '../sandbox-process.fixture.js';
import type { Processor } from './conformance/provider.fixture.js';
import { describeProvider } from './conformance.fixture.js';
import { createSandboxPayments } from './sandbox.js';
import { createStripePayments } from './stripe/stripe.js';

/** @param path of the wire, below the sandbox's URL */
async function startSandbox(path: string): Promise<Processor> {
  const home = await mkdtemp(join(tmpdir(), 'conformance-'));
  const sandbox = await startSandboxProcess(home);
  const byHand = async (call: string, body: object): Promise<{ disputeId?: string }> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const answer = await fetch(sandbox.url + call, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${call}: ${answer.status} ${await answer.text()}`);
    return JSON.parse(await answer.text());
  };
  return {
    url: sandbox.url + path,
    byHand: {
      capture: async (id, amount) => {
        await byHand(`/payments/${id}/capture`, { amount });
      },
      refund: async (id, amount) => {
        await byHand(`/payments/${id}/refunds`, { amount });
      },
      dispute: async (id, amount, inquiry = false) => {
        const { disputeId = '' } = await byHand(`/payments/${id}/disputes`, { amount, reason: 'fraudulent', inquiry });
        return disputeId;
      },
      close: async (disputeId, outcome) => {
        await byHand(`/disputes/${disputeId}/close`, { outcome });
      },
    },
    stop: async () => {
      await sandbox.kill();
      await rm(home, { recursive: true });
    },
  };
}

const tokens = {
  declinedAtCapture: 'tok_capture_declined',
  slow: 'tok_slow_1000',
  refundPending: 'tok_refund_pending_1500',
  refundFails: 'tok_refund_fails',
  refundFailsLate: 'tok_refund_fails_late_1500',
};

describeProvider('sandbox', {
  start: () => startSandbox(''),
  connect: (baseUrl) => createSandboxPayments({ baseUrl, timeoutMs: 3000 }),
  cancels: false,
  tokens: {
    ...tokens,
    good: 'tok_visa',
    declined: { token: 'tok_declined', declineCode: 'generic_decline' },
    insufficientFunds: 'tok_insufficient_funds',
  },
  rejected: [
    ['a used token', { token: 'tok_used' }, 'token_used'],
    ['an amount of nothing', { amount: 0 }, 'validation_failed'],
    ['a negative amount', { amount: -1 }, 'validation_failed'],
    ['a token of another processor', { token: 'pm_card_visa' }, 'validation_failed'],
  ],
  finalError: {
    ...{ status: 422, code: 'amount_too_small' },
    body: '{"error":{"code":"amount_too_small","detail":"at least 50 cents"}}',
  },
});

describeProvider('Stripe', {
  start: () => startSandbox('/stripe'),
  connect: (apiBase) =>
    createStripePayments({ apiBase, timeoutMs: 3000, secretKey: 'sk_test_sandbox', installation: 'conformance' }),
  cancels: true,
  tokens: {
    ...tokens,
    good: 'pm_card_visa',
    declined: { token: 'pm_card_chargeDeclinedExpiredCard', declineCode: 'expired_card' },
    insufficientFunds: 'pm_card_chargeDeclinedInsufficientFunds',
    needsHolder: 'pm_card_authenticationRequired',
  },
  requests: { authorize: 2, storeCard: 2 },
  rejected: [
    ['a used token', { token: 'tok_used' }, 'token_already_used'],
    ['an amount below the minimum', { amount: 29 }, 'amount_too_small'],
    ['an amount above the maximum', { amount: 100_000_000 }, 'amount_too_large'],
    ['an unknown payment method', { token: 'pm_nobody' }, 'resource_missing'],
  ],
  finalError: {
    ...{ status: 400, code: 'amount_too_small' },
    body: '{"error":{"type":"invalid_request_error","code":"amount_too_small","message":"at least 50 cents"}}',
  },
});
