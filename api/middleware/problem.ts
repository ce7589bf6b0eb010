/** The only place that turns refusals and unexpected errors into problem documents (RFC 9457). */
import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Logger } from 'pino';
import { ranOutdated } from '../../db/postgres/batch.js';
import { type Refusal, type RefusalCode, refusal, refusalStatus } from '../../domain/errors.js';
import { urlHoldsCardNumber } from '../http/card-url.js';
import { stateOf } from '../http/request-state.js';

/** Seconds after which a client may repeat a call that met a server that was down, or that is still running. */
const retryAfterSeconds = 1;

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The problem document of a refusal. */
export function problemOf(req: Request, refused: Refusal): Problem {
  const state = stateOf(req);
  const status = refusalStatus[refused.code];
  const members = {
    type: `urn:holdfast:problem:${refused.code}`,
    title: titleOf(refused.code),
    status,
    code: refused.code,
    detail: refused.detail,
    // A path that holds a card number is never echoed.
    instance: urlHoldsCardNumber(req.originalUrl) ? `urn:holdfast:request:${state.requestId}` : pathOf(req),
    requestId: state.requestId,
  };
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(isRetriedLater(refused.code) && { 'Retry-After': String(retryAfterOf(refused)) }),
      ...(status === 415 && { Accept: 'application/json', 'Accept-Encoding': 'identity' }),
    },
    // The standard members come first, and no extension replaces them.
    body: { ...members, ...refused.extensions, ...members },
  };
}

/** Seconds; a limit of a customer says them itself. */
function retryAfterOf({ extensions }: Refusal): number {
  const known = extensions?.retryAfterSeconds;
  return typeof known === 'number' ? known : retryAfterSeconds;
}

/** Whether the same call may succeed a little later, so that its answer has a Retry-After. */
export function isRetriedLater(code: RefusalCode): boolean {
  return refusalStatus[code] === 503 || code === 'request_in_progress' || code === 'customer_limit_reached';
}

export function sendRefusal(req: Request, res: Response, refused: Refusal): void {
  const problem = problemOf(req, refused);
  stateOf(req).logged.code = refused.code;
  const retryAfter = res.get('Retry-After');
  res.status(problem.status).set(problem.headers);
  // The caller of this function may know better when to retry.
  if (retryAfter !== undefined) res.set('Retry-After', retryAfter);
  res.send(JSON.stringify(problem.body));
}

export function titleOf(code: RefusalCode): string {
  const words = code.replaceAll('_', ' ').replace('json', 'JSON').replace('sku', 'SKU');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function pathOf(req: Request): string {
  return req.originalUrl.split('?', 1)[0] ?? '/';
}

/** Handles what routes throw. An unexpected error is `internal`: logged in full, and hidden from the client. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error);
    const refused = refusalOfError(error);
    if (refused.code === 'internal') log.error({ err: error, requestId: stateOf(req).requestId }, 'unexpected error');
    if (refused.code === 'unavailable')
      log.warn({ requestId: stateOf(req).requestId, cause: codeOf(error) }, 'a required server does not answer');
    sendRefusal(req, res, refused);
  };
}

/** The refusal that a client gets for an error. */
function refusalOfError(error: unknown): Refusal {
  if (isUnavailable(error)) return refusal('unavailable', 'a required server does not answer; try again');
  if (error instanceof URIError) return refusal('not_found', 'no such path');
  const status = memberOf(error, 'status');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return refusal('malformed_json', 'the body cannot be read');
  return refusal('internal', 'something went wrong on our side');
}

/**
 * SQLSTATE 08 (connection exception), 28 (the role may not connect), 53 (out of resources), 57P (the server stops or
 * starts), 57014 (the statement took too long), and the codes of db/postgres/bounded-pool.ts and postgres.js for a query
 * that timed out or a connection that failed or was lost.
 */
const postgresDown =
  /^(08...|28...|57P..|57014|53...|POSTGRES_TIMEOUT|CONNECT_TIMEOUT|CONNECTION_(CLOSED|ENDED|DESTROYED))$/;
/** Node's codes for the same. */
const socketDown = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

/** Whether the error only means that a server is unavailable, or that the database was upgraded during the call. */
export function isUnavailable(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (ranOutdated(cause)) return true;
    const code = codeOf(cause);
    if (typeof code === 'string' && (postgresDown.test(code) || socketDown.test(code))) return true;
  }
  return false;
}

function codeOf(error: unknown): unknown {
  return memberOf(error, 'code') ?? (error instanceof Error ? memberOf(error.cause, 'code') : undefined);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
