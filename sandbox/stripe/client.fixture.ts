/** The real Stripe client, pointed at the sandbox's Stripe face. */
import Stripe from 'stripe';

export type Client = Stripe;

/** The answers of the face as they arrive, for what the client does not show. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
}

/** Sends each call once: repeating it is the test's business. */
export function stripeClient(sandboxUrl: string, seen: Seen[] = []): Client {
  const { hostname, port } = new URL(sandboxUrl);
  const once: typeof fetch = async (input, init) => {
    const answer = await fetch(String(input).replace('/v1/', '/stripe/v1/'), init);
    seen.push({ status: answer.status, headers: answer.headers });
    return answer;
  };
  return new Stripe('sk_test_holdfast', {
    host: hostname,
    port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
    httpClient: Stripe.createFetchHttpClient(once),
  });
}

/** The error of a call that must not succeed. */
export async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}
