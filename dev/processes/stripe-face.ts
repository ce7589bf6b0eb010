/** With a test key of Stripe and no address, the sandbox stands in for Stripe: its calls, and its webhooks to our API. */
import { randomBytes } from 'node:crypto';
import { usesSandboxFace } from '../../domain/stripe-settings.js';
import type { Home } from '../home/home.js';
import { StartError } from '../start-error.js';

/** Settings that the servers get in addition; none where Stripe itself is used, or no Stripe at all. */
export function stripeFaceSettings(env: NodeJS.ProcessEnv, home: Home, sandboxUrl: string): NodeJS.ProcessEnv {
  if (!usesSandboxFace(env)) return {};
  const made = () => home.secret('stripe-webhook-secret', () => `whsec_${randomBytes(24).toString('hex')}`);
  return { STRIPE_API_BASE: `${sandboxUrl}/stripe`, STRIPE_WEBHOOK_SECRET: env.STRIPE_WEBHOOK_SECRET || made() };
}

/** Makes the sandbox send its webhooks to our API. */
export async function connectWebhook(
  { STRIPE_WEBHOOK_SECRET: secret }: NodeJS.ProcessEnv,
  sandboxUrl: string,
  apiUrl: string,
): Promise<void> {
  if (secret === undefined) return;
  const answer = await fetch(`${sandboxUrl}/stripe-control/webhook`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${apiUrl}/webhooks/stripe`, secret }),
  });
  if (!answer.ok) throw new StartError(`the sandbox refused the address of the Stripe webhook: ${answer.status}`);
}
