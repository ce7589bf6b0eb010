/**
 * The HTTP client of the stripe package, over our own connections. The package's own client sends a request again after a
 * lost connection, even with no retries allowed, and its time-out restarts with every byte. This one sends once, ends at
 * the deadline of the call, and knows whether a request was sent.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type Stripe from 'stripe';
import { createBreaker } from '../../http/breaker.js';
import { withDeadline } from '../../http/deadline.js';
import { exchange, type RawAnswer } from '../../http/exchange.js';
import { GatewayFault } from '../../http/fault.js';
import { answerOf, type CallOptions, openPool } from '../../http/http.js';

/** The gateway's name in faults. */
export const gateway = 'stripe';

/** Statuses whose error says what is wrong with the request or the card. Every other error is a fault. */
const definiteStatuses: ReadonlySet<number> = new Set([400, 401, 402, 403, 404]);

/** The operation for which the package sends a request. The package itself can pass on neither signal nor deadline. */
interface Operation {
  readonly signal: AbortSignal;
  readonly traceparent: string | undefined;
  /** Whether the last answer was one that Stripe had stored under the same idempotency key. */
  replayed: boolean;
}

export interface Transport {
  readonly httpClient: Stripe.HttpClient;
  /** Runs `work`; the requests that it makes end at the deadline of the options. */
  within<T>(options: CallOptions | undefined, work: () => Promise<T>): Promise<T>;
  /** Whether the last answer within this operation was a stored one. */
  wasReplayed(): boolean;
  close(): Promise<void>;
}

export interface TransportOptions {
  /** With the path before `/v1`, without a trailing slash. */
  readonly apiBase: string;
  /** For an operation without its own time-out. */
  readonly timeoutMs: number;
}

export function createTransport({ apiBase, timeoutMs }: TransportOptions): Transport {
  const base = new URL(apiBase);
  const prefix = base.pathname.replace(/\/$/, '');
  const pool = openPool(base.origin, { timeout: timeoutMs });
  const breaker = createBreaker(gateway);
  const operations = new AsyncLocalStorage<Operation>();
  const current = (): Operation => {
    const operation = operations.getStore();
    if (operation === undefined) throw new Error('a request to Stripe outside of an operation');
    return operation;
  };

  return {
    httpClient: {
      getClientName: () => 'undici',
      // Host, port and protocol are those of `apiBase`, whatever the package assumes.
      makeRequest: async (_host, _port, path, method, headers, body) => {
        const operation = current();
        const request = {
          method: method === 'POST' ? ('POST' as const) : method === 'DELETE' ? ('DELETE' as const) : ('GET' as const),
          path: prefix + path,
          headers: sendable(headers, operation.traceparent),
          body: method === 'POST' ? body : null,
        };
        operation.replayed = false;
        const send = async () => answerOf(gateway, await exchange(pool, request, operation.signal));
        const answer = await breaker.run(send, operation.signal);
        operation.replayed = answer.headers['idempotent-replayed'] === 'true';
        return responseOf(answer, readAnswer(answer));
      },
    },
    within: (options, work) =>
      withDeadline(options?.timeoutMs ?? timeoutMs, options?.signal, (signal) =>
        operations.run({ signal, traceparent: options?.traceparent, replayed: false }, work),
      ),
    wasReplayed: () => current().replayed,
    close: () => pool.destroy(),
  };
}

type RequestHeaders = Parameters<Stripe.HttpClient['makeRequest']>[4];

function sendable(headers: RequestHeaders, traceparent: string | undefined): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { ...Object.fromEntries(named), ...(traceparent !== undefined && { traceparent }) };
}

/** The JSON of an answer that is definite: a success, or an error that Stripe itself sent. Throws a GatewayFault otherwise. */
function readAnswer({ status, body }: RawAnswer): unknown {
  const success = status >= 200 && status < 300;
  if (!success && !definiteStatuses.has(status)) throw new GatewayFault(gateway, 'server_error', `answered ${status}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new GatewayFault(gateway, 'malformed', `answered ${status} with something that is not JSON`);
  }
  // A proxy also answers 404, and the package takes an object without `error` for a success.
  if (!success && !isStripeError(value))
    throw new GatewayFault(gateway, 'malformed', `answered ${status} without a reason`);
  return value;
}

function isStripeError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('error' in value)) return false;
  const { error } = value;
  return typeof error === 'object' && error !== null && 'type' in error && typeof error.type === 'string';
}

function responseOf({ status, headers }: RawAnswer, value: unknown): Stripe.HttpClientResponse {
  const requestId = headers['request-id'];
  return {
    getStatusCode: () => status,
    // Not `stripe-notice`, which the package prints.
    getHeaders: () => (typeof requestId === 'string' ? { 'request-id': requestId } : {}),
    getRawResponse: () => ({}),
    toStream: () => {
      throw new Error('answers of Stripe are not streamed');
    },
    toJSON: async () => value,
  };
}
