import { expect, test } from 'vitest';
import { parseSettings } from './settings.js';
import { liveKeyProblem, usesSandboxFace, withSandboxKey } from './stripe-settings.js';

test('without settings Stripe is not used, and its address is its own', () => {
  expect(parseSettings({})).toMatchObject({
    settings: {
      paymentGateway: 'sandbox',
      stripe: { secretKey: null, webhookSecrets: [], apiBase: 'https://api.stripe.com', installation: 'holdfast' },
    },
  });
});

test('two webhook secrets are taken while one replaces the other', () => {
  const env = {
    PAYMENT_GATEWAY: 'stripe',
    STRIPE_SECRET_KEY: 'sk_test_abc',
    STRIPE_WEBHOOK_SECRET: 'whsec_old, whsec_new',
    STRIPE_API_BASE: 'http://127.0.0.1:3900/stripe/',
  };
  expect(parseSettings(env)).toMatchObject({
    settings: {
      paymentGateway: 'stripe',
      stripe: {
        secretKey: 'sk_test_abc',
        webhookSecrets: ['whsec_old', 'whsec_new'],
        apiBase: 'http://127.0.0.1:3900/stripe',
      },
    },
  });
});

test.each([
  ['a missing key', {}, 'STRIPE_SECRET_KEY'],
  ['a publishable key', { STRIPE_SECRET_KEY: 'pk_test_hidden' }, 'STRIPE_SECRET_KEY'],
  ['three secrets', { STRIPE_SECRET_KEY: 'sk_test_a', STRIPE_WEBHOOK_SECRET: 'hidden,b,c' }, 'STRIPE_WEBHOOK_SECRET'],
  ['an empty secret', { STRIPE_SECRET_KEY: 'sk_test_a', STRIPE_WEBHOOK_SECRET: 'hidden,' }, 'STRIPE_WEBHOOK_SECRET'],
  ['no address', { STRIPE_SECRET_KEY: 'sk_test_a', STRIPE_API_BASE: 'ftp://u:hidden@x' }, 'STRIPE_API_BASE'],
  ['a bad name', { STRIPE_SECRET_KEY: 'sk_test_a', INSTALLATION: 'a b' }, 'INSTALLATION'],
  ['a bad yes', { STRIPE_SECRET_KEY: 'sk_test_a', ALLOW_LIVE_PAYMENTS: 'sure' }, 'ALLOW_LIVE_PAYMENTS'],
])('%s is named, and no secret is repeated', (_what, env, name) => {
  const result = parseSettings({ PAYMENT_GATEWAY: 'stripe', ...env });
  const problems = result.kind === 'wrong' ? result.problems : [];
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(name);
  expect(problems[0]).not.toContain('hidden');
});

test('the embedded stack takes a live key only with an explicit yes', () => {
  const env = { STRIPE_SECRET_KEY: 'sk_live_hidden' };
  expect(liveKeyProblem(env)).toContain('ALLOW_LIVE_PAYMENTS=yes');
  expect(liveKeyProblem(env)).not.toContain('hidden');
  expect(liveKeyProblem({ ...env, ALLOW_LIVE_PAYMENTS: 'no' })).not.toBeNull();
  expect(liveKeyProblem({ ...env, ALLOW_LIVE_PAYMENTS: 'yes' })).toBeNull();
  expect(liveKeyProblem({ STRIPE_SECRET_KEY: 'sk_test_a' })).toBeNull();
});

test('in the embedded stack a test key means the sandbox, unless an address is set', () => {
  const env = withSandboxKey({ PAYMENT_GATEWAY: 'stripe' });
  expect(env.STRIPE_SECRET_KEY).toMatch(/^sk_test_/);
  expect(usesSandboxFace(env)).toBe(true);
  expect(usesSandboxFace({ ...env, STRIPE_API_BASE: 'https://api.stripe.com' })).toBe(false);
  expect(usesSandboxFace({ STRIPE_SECRET_KEY: 'sk_live_a' })).toBe(false);
  expect(withSandboxKey({})).toEqual({});
});
