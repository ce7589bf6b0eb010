/** Shared by all gateways that use JSON over HTTP: connections, time-outs, and the meaning of answers and errors. */
import { type buildConnector, Pool } from 'undici';
import { errorOf } from './answers.js';
import { createBreaker } from './breaker.js';
import { withDeadline } from './deadline.js';
import { type Exchange, exchange, maxHeadBytes, type RawAnswer } from './exchange.js';
import { GatewayFault, presentable } from './fault.js';

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call. If it was already sent, it may still happen. */
  readonly signal?: AbortSignal;
  /** For the whole call, including the wait for a connection; default: the gateway's own. */
  readonly timeoutMs?: number;
  /** W3C traceparent, passed on. */
  readonly traceparent?: string;
}

export interface HttpGatewayOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
  /** Opens the connections; default: to the base URL. */
  readonly connector?: buildConnector.connector;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
}

/** A meaningful answer: JSON with status 2xx or 4xx. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface HttpGateway {
  /** Makes the call once, without retries. Throws a GatewayFault if there is no HttpAnswer. */
  call(call: HttpCall, options?: CallOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export function createHttpGateway(name: string, { baseUrl, timeoutMs, connector }: HttpGatewayOptions): HttpGateway {
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/$/, '');
  const pool = openPool(base.origin, connector ?? { timeout: timeoutMs });
  const breaker = createBreaker(name);

  return {
    call: (call, options = {}) =>
      withDeadline(options.timeoutMs ?? timeoutMs, options.signal, (signal) => {
        const request = {
          method: call.method,
          path: prefix + call.path,
          headers: headersOf(call, options),
          body: call.body === undefined ? null : JSON.stringify(call.body),
        };
        return breaker.run(async () => readAnswer(name, answerOf(name, await exchange(pool, request, signal))), signal);
      }),
    close: () => pool.destroy(),
  };
}

/** No limit on connections, so that hanging calls do not delay others. The deadline of each call alone sets time-outs. */
export function openPool(origin: string, connect: NonNullable<Pool.Options['connect']>): Pool {
  return new Pool(origin, {
    connect,
    maxHeaderSize: maxHeadBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
  });
}

function headersOf(call: HttpCall, options: CallOptions): Record<string, string> {
  return {
    accept: 'application/json',
    ...(call.body !== undefined && { 'content-type': 'application/json' }),
    ...(call.idempotencyKey !== undefined && { 'idempotency-key': call.idempotencyKey }),
    ...(options.traceparent !== undefined && { traceparent: options.traceparent }),
  };
}

/** The answer of an exchange; throws a GatewayFault if there is none. */
export function answerOf(gateway: string, result: Exchange): RawAnswer {
  switch (result.kind) {
    case 'answer':
      return result.answer;
    case 'not_sent':
      throw new GatewayFault(gateway, 'unreachable', result.detail);
    case 'no_answer':
      throw new GatewayFault(gateway, 'no_answer', result.detail);
    default:
      throw new GatewayFault(gateway, 'malformed', result.detail);
  }
}

function readAnswer(gateway: string, { status, body }: RawAnswer): HttpAnswer {
  const meaningful = (status >= 200 && status < 300) || (status >= 400 && status < 500);
  // With 408 and 429 the server says that it did not process the request now.
  if (!meaningful || status === 408 || status === 429)
    throw new GatewayFault(gateway, 'server_error', `answered ${status}`);
  try {
    return { status, body: JSON.parse(body) };
  } catch {
    throw new GatewayFault(gateway, 'malformed', `answered ${status} with something that is not JSON`);
  }
}

/** The error for an answer that a correct call never gets, such as 401 or 422: a bug or a wrong setting, not a fault. */
export function unexpectedAnswer(gateway: string, what: string, answer: HttpAnswer): Error {
  const error = errorOf(gateway, answer.body);
  const detail = error ? ` ${error.code}: ${error.detail ?? ''}` : '';
  return new Error(presentable(`${gateway}: ${what} was answered with ${answer.status}${detail}`));
}
