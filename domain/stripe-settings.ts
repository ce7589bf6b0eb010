/** The settings of the Stripe gateway and its webhook. Pure. Keys and secrets are never repeated in a problem. */
import type { GatewayName } from './payments/gateways.js';

export interface StripeSettings {
  /** Null: Stripe is not used. */
  readonly secretKey: string | null;
  /** Two while one replaces the other; none: every webhook is refused. */
  readonly webhookSecrets: readonly string[];
  /** Without a trailing slash; `/v1` follows. */
  readonly apiBase: string;
  /** Names this installation in the metadata of its payments: others may share the account. */
  readonly installation: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const stripesOwn = 'https://api.stripe.com';
const maxUrlLength = 2000;
/** What the embedded stack uses against the sandbox's Stripe face, which takes any test key. */
const sandboxKey = 'sk_test_sandbox';

/** Reads the settings. Adds what is wrong to `problems`. */
export function readStripeSettings(env: Env, problems: string[]): StripeSettings {
  const secretKey = env.STRIPE_SECRET_KEY || null;
  if (secretKey !== null && !/^[sr]k_(test|live)_\w{1,250}$/.test(secretKey))
    problems.push('STRIPE_SECRET_KEY must be a secret key of Stripe: sk_test_…, sk_live_…, rk_test_… or rk_live_…');
  if (secretKey === null && env.PAYMENT_GATEWAY === 'stripe')
    problems.push('STRIPE_SECRET_KEY must be set where PAYMENT_GATEWAY is stripe');

  const text = env.STRIPE_WEBHOOK_SECRET || null;
  const webhookSecrets = text === null ? [] : text.split(',').map((secret) => secret.trim());
  if (webhookSecrets.length > 2 || webhookSecrets.some((secret) => !/^[\x21-\x7e]{1,500}$/.test(secret)))
    problems.push('STRIPE_WEBHOOK_SECRET must be one or two signing secrets, separated by a comma');

  const apiBase = env.STRIPE_API_BASE || stripesOwn;
  if (!isAddress(apiBase)) problems.push('STRIPE_API_BASE must be a URL that starts with http: or https:');

  const installation = env.INSTALLATION || 'holdfast';
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(installation))
    problems.push(`INSTALLATION must be 1 to 100 letters, digits, dots, hyphens or underscores, not "${installation}"`);
  if (!['', 'yes', 'no', undefined].includes(env.ALLOW_LIVE_PAYMENTS))
    problems.push(`ALLOW_LIVE_PAYMENTS must be yes or no, not "${env.ALLOW_LIVE_PAYMENTS}"`);
  return { secretKey, webhookSecrets, apiBase: apiBase.replace(/\/$/, ''), installation };
}

/** The address may hold a password and is never repeated. Parsing a long host name takes quadratic time. */
function isAddress(text: string): boolean {
  return text.length <= maxUrlLength && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** Why the embedded stack does not start with this key; null if it may. It is where people try things out. */
export function liveKeyProblem(env: Env): string | null {
  const live = /^[sr]k_live_/.test(env.STRIPE_SECRET_KEY ?? '');
  if (!live || env.ALLOW_LIVE_PAYMENTS === 'yes') return null;
  return 'STRIPE_SECRET_KEY is a live key, which moves real money: set ALLOW_LIVE_PAYMENTS=yes to use it in the embedded stack';
}

/** Whether payments move real money: with a live key of Stripe. */
export function usesLiveKey(settings: {
  readonly paymentGateway: GatewayName;
  readonly stripe: Pick<StripeSettings, 'secretKey'>;
}): boolean {
  return settings.paymentGateway === 'stripe' && /^[sr]k_live_/.test(settings.stripe.secretKey ?? '');
}

/** The environment of the embedded stack: with `PAYMENT_GATEWAY=stripe` and no key it uses the sandbox's Stripe face. */
export function withSandboxKey(env: Env): Env {
  const needed = env.PAYMENT_GATEWAY === 'stripe' && !env.STRIPE_SECRET_KEY;
  return needed ? { ...env, STRIPE_SECRET_KEY: sandboxKey } : env;
}

/** Whether the embedded stack sends Stripe's calls to the sandbox. */
export function usesSandboxFace(env: Env): boolean {
  return /^[sr]k_test_/.test(env.STRIPE_SECRET_KEY ?? '') && !env.STRIPE_API_BASE;
}
