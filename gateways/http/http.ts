/** What every gateway that speaks JSON over HTTP shares: connections, time-outs, and what an answer or its lack means. */
import { type buildConnector, Pool } from 'undici';
import { errorOf } from './answers.js';
import { createBreaker } from './breaker.js';
import { withDeadline } from './deadline.js';
import { type Exchange, exchange, maxHeadBytes, type RawAnswer } from './exchange.js';
import { GatewayFault, presentable } from './fault.js';

/** What a caller may say about one call. */
export interface CallOptions {
  /** Breaks the call off. What was sent by then may still happen. */
  readonly signal?: AbortSignal;
  /** For the whole call, waiting for a connection included; default is the gateway's own. */
  readonly timeoutMs?: number;
  /** W3C traceparent, sent on. */
  readonly traceparent?: string;
}

export interface HttpGatewayOptions {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
  /** How connections are made; default: to wherever the base URL leads. */
  readonly connector?: buildConnector.connector;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
}

/** An answer that is one: JSON, and not the server's own trouble. The status is 2xx or 4xx. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface HttpGateway {
  /** Makes the call once: it is never repeated here. Throws a GatewayFault where there is no HttpAnswer. */
  call(call: HttpCall, options?: CallOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export function createHttpGateway(name: string, { baseUrl, timeoutMs, connector }: HttpGatewayOptions): HttpGateway {
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/$/, '');
  // As many connections as there are calls: calls that hang must not keep others waiting. Time-outs are the deadline's.
  const pool = new Pool(base.origin, {
    connect: connector ?? { timeout: timeoutMs },
    maxHeaderSize: maxHeadBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
  });
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
        return breaker.run(async () => understand(name, await exchange(pool, request, signal)), signal);
      }),
    close: () => pool.destroy(),
  };
}

function headersOf(call: HttpCall, options: CallOptions): Record<string, string> {
  return {
    accept: 'application/json',
    ...(call.body !== undefined && { 'content-type': 'application/json' }),
    ...(call.idempotencyKey !== undefined && { 'idempotency-key': call.idempotencyKey }),
    ...(options.traceparent !== undefined && { traceparent: options.traceparent }),
  };
}

function understand(gateway: string, result: Exchange): HttpAnswer {
  switch (result.kind) {
    case 'answer':
      return readAnswer(gateway, result.answer);
    case 'not_sent':
      throw new GatewayFault(gateway, 'unreachable', result.detail);
    case 'no_answer':
      throw new GatewayFault(gateway, 'no_answer', result.detail);
    default:
      throw new GatewayFault(gateway, 'malformed', result.detail);
  }
}

function readAnswer(gateway: string, { status, body }: RawAnswer): HttpAnswer {
  const understood = (status >= 200 && status < 300) || (status >= 400 && status < 500);
  // 408 and 429 are the server's way of saying that it did not want to work on it now.
  if (!understood || status === 408 || status === 429)
    throw new GatewayFault(gateway, 'server_error', `answered ${status}`);
  try {
    return { status, body: JSON.parse(body) };
  } catch {
    throw new GatewayFault(gateway, 'malformed', `answered ${status} with something that is not JSON`);
  }
}

/** For an answer that no correct call gets, such as 401 or 422: a bug of ours or a wrong setting, not a fault. */
export function unexpectedAnswer(gateway: string, what: string, answer: HttpAnswer): Error {
  const error = errorOf(gateway, answer.body);
  const detail = error ? ` ${error.code}: ${error.detail ?? ''}` : '';
  return new Error(presentable(`${gateway}: ${what} was answered with ${answer.status}${detail}`));
}
