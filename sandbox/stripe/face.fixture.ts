/** A sandbox in this process for the tests of one file, and payments by the real Stripe client at its Stripe face. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Sandbox, startSandbox } from '../server.js';
import { type Client, type Seen, stripeClient } from './client.fixture.js';

let serial = 0;
export const fresh = (what: string) => `${what}-${++serial}`;

export const terms = (method: string, reference = fresh('ord')) => ({
  ...{ amount: 1999, currency: 'usd', capture_method: 'manual' as const },
  ...{ payment_method: method, metadata: { reference } },
});

/** A card as `tok_…`, which Stripe takes as data of a payment method. */
export const byToken = (token: string, reference = fresh('ord')) => {
  const { payment_method: _, ...others } = terms('', reference);
  return { ...others, payment_method_data: { type: 'card' as const, card: { token } } };
};

/** Its members exist once the sandbox runs: use them inside tests and hooks only. */
export interface Face {
  readonly url: string;
  readonly stripe: Client;
  /** A call of the sandbox's own API that must succeed: GET, or POST of `body`. */
  own<T>(path: string, body?: unknown): Promise<T>;
  authorized(method: string): ReturnType<Client['paymentIntents']['create']>;
  captured(method: string): ReturnType<Client['paymentIntents']['capture']>;
}

/** @param seen receives the status and the headers of each answer to the client */
export function sandboxFace(seen?: Seen[]): Face {
  let started: { readonly sandbox: Sandbox; readonly stripe: Client } | null = null;
  let home = '';
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'stripe-'));
    const sandbox = await startSandbox({ home, httpPort: 0, smtpPort: 0 });
    started = { sandbox, stripe: stripeClient(sandbox.url, seen) };
  });
  afterAll(async () => {
    await started?.sandbox.close();
    await rm(home, { recursive: true });
  });
  const running = () => {
    if (started === null) throw new Error('the sandbox does not run yet: use it inside a test or a hook');
    return started;
  };
  const face: Face = {
    get url() {
      return running().sandbox.url;
    },
    get stripe() {
      return running().stripe;
    },
    own: async (path, body) => {
      const answer = await fetch(face.url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      expect(answer.ok, text).toBe(true);
      return JSON.parse(text);
    },
    authorized: (method) => face.stripe.paymentIntents.create({ ...terms(method), confirm: true }),
    captured: async (method) => face.stripe.paymentIntents.capture((await face.authorized(method)).id),
  };
  return face;
}
