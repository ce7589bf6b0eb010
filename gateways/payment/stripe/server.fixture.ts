/** A stand-in for Stripe that answers what a test has scripted, and records what was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import { createStripePayments } from './stripe.js';

interface SentRequest {
  readonly line: string;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly body: unknown;
  readonly replayed?: boolean;
}

/** An answer, or what happens instead of one. */
export type Script = ScriptedAnswer | 'reset' | 'silence' | 'drip';

export async function scriptedStripe() {
  let scripts: Script[] = [];
  const sent: SentRequest[] = [];
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const params = Object.fromEntries(new URLSearchParams(text || new URL(req.url ?? '', 'http://x').search));
    const [path = ''] = (req.url ?? '').split('?');
    sent.push({
      line: `${req.method} ${path}`,
      key: req.headers['idempotency-key']?.toString(),
      headers: req.headers,
      params,
    });
    const script = scripts.shift() ?? { status: 500, body: { error: { type: 'api_error' } } };
    if (script === 'reset') return void req.socket.resetAndDestroy();
    if (script === 'silence') return;
    if (script === 'drip') {
      res.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => res.write(' '), 50);
      return void res.once('close', () => clearInterval(timer));
    }
    const { status = 200, body, replayed = false } = script;
    res.writeHead(status, {
      'request-id': 'req_test',
      'stripe-notice': 'upgrade',
      ...(replayed && { 'idempotent-replayed': 'true' }),
    });
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = createServer((req, res) => void serve(req, res));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const apiBase = `http://127.0.0.1:${port}/stripe`;
  const payments = await createStripePayments({
    apiBase,
    timeoutMs: 2000,
    secretKey: 'sk_test_hidden',
    installation: 'here',
  });
  return {
    payments,
    sent,
    /** Answers the next requests in this order. Anything more is answered with 500. */
    answer(...next: Script[]) {
      scripts = next;
      sent.length = 0;
    },
    async close() {
      await payments.close();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export const secret = 'pi_1_secret_hidden';

export function intent(status: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    id: 'pi_1',
    object: 'payment_intent',
    status,
    amount: 1999,
    amount_received: status === 'succeeded' ? 1999 : 0,
    created: 1_764_000_000,
    currency: 'usd',
    client_secret: secret,
    last_payment_error: null,
    cancellation_reason: null,
    ...more,
  };
}

export function refund(status: string, more: Readonly<Record<string, unknown>> = {}) {
  return { id: 're_1', object: 'refund', amount: 500, created: 1_764_000_000, status, metadata: {}, ...more };
}

/** An error as Stripe sends it, with what nobody else may see. */
export function stripeError(
  status: number,
  error: Readonly<Record<string, unknown>>,
  replayed = false,
): ScriptedAnswer {
  const hidden = { ...intent('requires_payment_method'), payment_method: { card: { last4: '4242' } } };
  const message = `No: ${secret}, 4242`;
  return {
    status,
    replayed,
    body: { error: { type: 'invalid_request_error', message, payment_intent: hidden, ...error } },
  };
}

export const list = (...data: unknown[]) => ({ body: { object: 'list', data, has_more: false } });

export type ScriptedStripe = Awaited<ReturnType<typeof scriptedStripe>>;

export const operation: CardOperation = {
  paymentId: 'pay_1',
  card: 'primary',
  token: 'pm_card_visa',
  amount: 1999,
  currency: 'USD',
  reference: 'ord_1',
  customerId: null,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

/** Ids of an operation that was made before. */
export const knowing = (known: string) => ({ known, remember: async () => undefined });

/** The error of a call that must fail. Throws if it shows what nobody may see. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error: unknown = await call.then(
    (value) => value,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(`no error, but ${JSON.stringify(error)}`);
  const everything = JSON.stringify([error.message, error.stack, error, error.cause]);
  for (const hidden of [secret, '4242', 'sk_test_hidden'])
    if (everything.includes(hidden)) throw new Error(`the error shows ${hidden}`);
  return error;
}
